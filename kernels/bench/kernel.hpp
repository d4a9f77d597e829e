// What the bench knows of a kernel: its name, its shapes, and how to get it ready with buffers of a shape.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "kernels/work.hpp"

namespace strata {

// Named dimensions in the order they are printed: {{"tokens", 4096}, {"hidden", 7168}}.
class Shape {
public:
    Shape(std::initializer_list<std::pair<const char*, std::int64_t>> dimensions)
        : dimensions_(dimensions.begin(), dimensions.end()) {}
    // Throws std::logic_error for a name it has not.
    std::int64_t operator[](const std::string& name) const;
    const std::vector<std::pair<std::string, std::int64_t>>& dimensions() const { return dimensions_; }
    std::string text() const;  // "tokens=4096 hidden=7168"

private:
    std::vector<std::pair<std::string, std::int64_t>> dimensions_;
};

struct ProductionShape {
    Shape shape;
    std::string models;  // whose shape it is: "v3 v3.2"
};

// What `prepare` throws where a kernel has nothing to do on this machine: an exchange between GPUs where there is one.
class NotApplicable : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Outputs held against the reference.
struct Verdict {
    bool pass = false;
    std::string metric{};  // what `value` is: "max |difference|", "calc_diff", "wrong bits"
    double value = 0;
    double tolerance = 0;  // value <= tolerance is a pass
    std::string detail{};  // where the worst one is; empty on a pass
};

// A plain launch that does the same, to be timed beside it: a library's, or the step that a fused kernel saves.
struct Baseline {
    std::string name;
    std::function<void(int set, cudaStream_t)> launch;
};

// A kernel with its buffers. The bench makes as many sets of operands as it takes for each launch to find its data
// cold.
struct Prepared {
    Work work{};  // of one launch, from the op's header
    std::function<void(int set, cudaStream_t)> launch{};
    std::function<void()> poison{};     // every output of set 0 becomes 0xFF bytes
    std::function<Verdict()> verify{};  // the outputs of set 0 against the reference, on those very inputs
    std::vector<Baseline> baselines{};
};

// What of a run's ceilings an op is held against.
// bf16 and fp8: products of cuBLASLt, in FLOP/s.
enum class Ceiling { copy, pinned_to_device, bf16, fp8, fp8_block, none };

// What the first shape of a kernel is held to.
struct Goal {
    double share = 0;               // of the ceiling; 0: none
    std::optional<Seconds> time{};  // instead, for what latency bounds
    std::string text{};             // where the goal comes from: "facts A10"
};

struct Kernel {
    std::string name{};    // "quant/fp8-1x128"
    std::string what{};    // one line for `list`
    std::string source{};  // the file it is in: kernels/quant/quantise.cu
    Ceiling ceiling = Ceiling::copy;
    Goal goal{};
    std::vector<ProductionShape> shapes{};  // the most telling first
    std::vector<Shape> check_shapes{};      // small ones and edge cases
    // Random operands of the seed, `sets` of them. Throws std::invalid_argument for a shape it does not take and
    // CudaError where memory does not suffice.
    std::function<Prepared(const Shape&, int sets, std::uint64_t seed)> prepare{};
    // Bytes of one set, so that the bench knows how many it needs before it makes them.
    std::function<Bytes(const Shape&)> set_bytes{};
};

}  // namespace strata
