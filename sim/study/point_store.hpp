// What became of points, kept in one file between runs and over studies: SQLite, one row a point, by its key. A point
// that is there is not computed again. A process can be killed at any moment: what was kept stays whole, and the next
// run goes on from it. docs/scale.md shows the tables and what they cost.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "sim/study/point_key.hpp"
#include "sim/study/study.hpp"

namespace strata {

// What rows have in common, so that each holds values alone.
struct RowShape {
    std::string study, engine;
    std::vector<std::string> axes{};     // the paths of what distinguishes the points
    std::vector<std::string> metrics{};  // whose numbers are kept
    auto operator<=>(const RowShape&) const = default;
};

struct KeptPoint {
    PointKey key{};
    PointStatus status = PointStatus::ok;
    std::string reason{};           // why there is no run
    Settings settings{};            // in the order of the shape's axes
    std::vector<double> numbers{};  // in the order of the shape's metrics; NaN where there is none
    std::string run{};              // all of it, as JSON; empty: only the numbers are kept
};

// For many threads at once.
class PointStore {
public:
    enum class Use {
        share,  // what is known is taken, what is new is kept
        renew   // nothing is taken, everything is kept anew
    };
    // The file is made if it is not there, and taken away again if nothing ran that it could keep. Throws InputError
    // for one that cannot be written, or is something else.
    explicit PointStore(const std::string& file, Use use = Use::share);
    PointStore(const PointStore&) = delete;
    ~PointStore();

    const std::string& file() const { return file_; }
    std::size_t size();                // points
    void discard() { empty_ = true; }  // what it holds is not worth a file of its own, if it has made it
    // Of what points below `root` follow from beside their scenario: the inputs there, and this program's model. Read
    // once: whoever changes them during a study has no study.
    const std::string& inputs_of(const std::string& root);
    const std::string& fingerprint_of(const std::string& file_or_folder);
    // What is known of the point as a whole: a run, or why there is none. What failed is not known: it is tried again.
    std::optional<KeptPoint> whole(const PointKey& key);
    // Of each key the numbers of these metrics, or why there are none; nothing where one of them was not kept.
    std::vector<std::optional<KeptPoint>> numbers(const std::vector<PointKey>& keys,
                                                  const std::vector<std::string>& metrics);
    // Written at the latest with the first point that comes a fifth of a second after the last writing. Throws
    // InputError where the disk is full.
    void keep(const RowShape& shape, std::vector<KeptPoint> points);
    void flush();
    // All points of another store, of those that are here already the one with more in it. How many were new.
    std::size_t merge(const std::string& other);
    // Takes away the oldest points, half of them at a time, until the rest need no more than so many bytes. The file
    // stays as large as it is; new points fill it.
    void keep_within(std::int64_t bytes);

private:
    struct Connection;
    struct Batch {
        RowShape shape{};
        std::vector<KeptPoint> points{};
    };

    std::int64_t id_of(const RowShape& shape);
    const RowShape& shape_of(std::int64_t id);
    void write(const RowShape& shape, const KeptPoint& point);
    void write_over(const RowShape& shape, const KeptPoint& point);
    void write_pending();

    std::string file_;
    Use use_;
    bool made_, empty_ = false;
    std::mutex mutex_;
    std::unique_ptr<Connection> connection_;
    std::map<RowShape, std::int64_t> shapes_;
    std::map<std::int64_t, RowShape> shape_of_;
    std::map<std::string, std::string> fingerprints_;
    std::vector<Batch> pending_;
    std::size_t points_pending_ = 0;
    std::chrono::steady_clock::time_point written_{};
};

}  // namespace strata
