#include "kernels/bench/ceilings.hpp"

#include <algorithm>
#include <functional>
#include <stdexcept>

#include "kernels/bench/bandwidth.hpp"
#include "kernels/bench/library_gemm.hpp"

namespace strata {

namespace {

constexpr int kManyBlocks = 1056;  // eight a multiprocessor of an H200

class Measuring {
public:
    Measuring(Stage& stage, Ceilings& ceilings) : stage_(stage), ceilings_(ceilings) {}

    // `units` a microsecond, times 1e-3 for GB/s and 1e-6 for TFLOP/s.
    void rate(const std::string& name, double units, double scale, const std::function<Launch()>& prepare) {
        try {
            const Launch launch = prepare();
            const auto times = stage_.time({launch}, {.sets = 1, .flush = true}, {.warm_ups = 3, .at_least = 15});
            ceilings_.values[name] = units * scale / spread_of(times.front()).median;
        } catch (const std::runtime_error& failed) {
            ceilings_.missing[name] = failed.what();
        }
    }

private:
    Stage& stage_;
    Ceilings& ceilings_;
};

std::function<Launch()> product(GemmType type, int size) {
    return [=]() -> Launch {
        auto gemm = std::make_shared<LibraryGemm>(type, size, size, size, 1);
        return [gemm](int, cudaStream_t stream) { gemm->launch(stream); };
    };
}

}  // namespace

Ceilings measure_ceilings(Stage& stage, const CeilingSizes& sizes) {
    Ceilings ceilings;
    Measuring measure(stage, ceilings);
    const std::int64_t device = sizes.device_bytes, host = sizes.host_bytes;
    {
        auto from = std::make_shared<Buffer<std::uint8_t>>(std::size_t(device));
        auto to = std::make_shared<Buffer<std::uint8_t>>(std::size_t(device));
        auto sink = std::make_shared<Buffer<float>>(1);
        fill_bytes(from->data(), from->bytes(), 1);
        measure.rate("copy", 2.0 * double(device), 1e-3, [=] {
            return [=](int, cudaStream_t stream) { copy_bytes(to->data(), from->data(), device, stream); };
        });
        measure.rate("device_memcpy", 2.0 * double(device), 1e-3, [=] {
            return [=](int, cudaStream_t stream) {
                check_cuda(cudaMemcpyAsync(to->data(), from->data(), std::size_t(device), cudaMemcpyDefault, stream),
                           "copying on the GPU");
            };
        });
        // A ceiling is what the card can do, whoever's copy reaches it.
        if (const auto library = ceilings.values.find("device_memcpy"); library != ceilings.values.end())
            ceilings.values["copy"] = std::max(ceilings.values["copy"], library->second);
        measure.rate("read", double(device), 1e-3, [=] {
            return
                [=](int, cudaStream_t stream) { read_bytes(from->data(), device, sink->data(), kManyBlocks, stream); };
        });
    }
    {
        auto on_host = std::make_shared<Buffer<std::uint8_t>>(std::size_t(host), Where::pinned);
        auto on_device = std::make_shared<Buffer<std::uint8_t>>(std::size_t(host));
        auto sink = std::make_shared<Buffer<float>>(1);
        fill_bytes(on_device->data(), on_device->bytes(), 2);
        const auto memcpy_of = [=](bool to_device) {
            return [=]() -> Launch {
                return [=](int, cudaStream_t stream) {
                    check_cuda(cudaMemcpyAsync(to_device ? on_device->data() : on_host->data(),
                                               to_device ? on_host->data() : on_device->data(), std::size_t(host),
                                               cudaMemcpyDefault, stream),
                               "copying between host and GPU");
                };
            };
        };
        measure.rate("device_to_pinned", double(host), 1e-3, memcpy_of(false));
        measure.rate("pinned_to_device", double(host), 1e-3, memcpy_of(true));
        measure.rate("zero_copy_read", double(host), 1e-3, [=] {
            return
                [=](int, cudaStream_t stream) { read_bytes(on_host->data(), host, sink->data(), kManyBlocks, stream); };
        });
    }
    const double flops = 2.0 * sizes.gemm * sizes.gemm * sizes.gemm;
    measure.rate("bf16", flops, 1e-6, product(GemmType::bf16, sizes.gemm));
    measure.rate("fp8", flops, 1e-6, product(GemmType::fp8_tensor, sizes.gemm));
    measure.rate("fp8_block", flops, 1e-6, product(GemmType::fp8_block, sizes.gemm));
    return ceilings;
}

std::map<std::int64_t, double> measure_zero_copy_rows(Stage& stage, std::int64_t host_bytes) {
    Buffer<std::uint8_t> table(std::size_t(host_bytes), Where::pinned);
    Buffer<float> sink(1);
    fill_bytes(table.data(), table.bytes(), 3);
    std::map<std::int64_t, double> rates;
    for (const std::int64_t row : {64, 128, 272, 512, 1024, 2048, 4096}) {
        const std::int64_t count = (std::int64_t(64) << 20) / row;
        std::uint64_t seed = 0;
        const Launch launch = [&](int, cudaStream_t stream) {
            read_random_rows(table.data(), host_bytes / row, row, count, ++seed << 40, sink.data(), kManyBlocks,
                             stream);
        };
        const auto times = stage.time({launch}, {.sets = 1, .flush = true}, {.warm_ups = 2, .at_least = 10});
        rates[row] = double(count * row) * 1e-3 / spread_of(times.front()).median;
    }
    return rates;
}

}  // namespace strata
