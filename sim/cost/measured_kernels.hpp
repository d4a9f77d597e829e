// Times of this project's own kernels, from records that strata-kernels has written (kernels/profiles). A shape that
// was measured needs no curve; one between two that were is interpolated.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "kernels/work.hpp"
#include "sim/cost/family.hpp"
#include "sim/cost/op_point.hpp"

namespace strata {

// Which family of ops a kernel of the bench is an implementation of; none for one that no step uses as it is.
std::optional<Family> family_of_kernel(const std::string& kernel);

// The same shape as the tables of its family write it: `shape` maps the bench's names to lengths. None where the family
// has no such form, or no table could hold the shape.
std::optional<OpPoint> point_of_kernel(const std::string& kernel, const std::map<std::string, double>& shape);

class MeasuredKernels {
public:
    MeasuredKernels() = default;
    // Every record (*.jsonl) of the folder; a folder that is absent has none. `kernels` is where their sources are: a
    // sample whose sources have changed since is stale and left out. Throws InputError with file, line and field.
    MeasuredKernels(const std::filesystem::path& folder, const std::filesystem::path& kernels);

    struct Found {
        Seconds time;
        bool exact = false;  // else interpolated between the shapes below and above
    };
    // `device` as its driver calls it. A shape is known by its family, FLOPs and bytes: two of the same intensity
    // (FLOPs a byte) are of a kind, whatever their sides. Nothing is extrapolated.
    std::optional<Found> find(const std::string& device, Family family, const Work& work) const;

    // Of exactly that shape.
    std::optional<Seconds> at(const std::string& device, const OpPoint& point) const;

    int samples() const { return samples_; }
    int stale() const { return stale_; }

private:
    struct Point {
        Flops flops;
        Bytes bytes;
        Seconds time;
    };
    void take(const nlohmann::json& line, std::string& device,
              const std::function<std::string(const std::string&)>& hash_now);

    // By family, then device; ascending in bytes. Asked for every kernel of every point of a sweep.
    std::array<std::map<std::string, std::vector<Point>>, kFamilies> points_;
    std::map<std::pair<std::string, OpPoint>, Seconds> exact_;
    int samples_ = 0, stale_ = 0;
};

}  // namespace strata
