// Rows brought to the GPU by a copy engine instead of by SMs: as the ids of a batch are known before its forward pass,
// the host gathers the rows into a pinned buffer and one copy carries them over, while the batch before is computed.
#pragma once

#include <cuda_runtime.h>

#include "kernels/bench/device_buffer.hpp"
#include "kernels/engram/double_buffer.hpp"
#include "kernels/engram/host_gather.hpp"
#include "kernels/engram/stream_event.hpp"

namespace strata {

class EngramPrefetcher {
public:
    // Planes as engram_gather writes them, in device memory.
    struct Rows {
        const std::uint8_t* codes = nullptr;
        const std::uint8_t* scales = nullptr;
        std::int64_t count = 0;
    };

    // The table's memory need not be pinned. Batches have at most `most_rows` rows.
    EngramPrefetcher(const HostTable& table, std::int64_t most_rows, int threads)
        : table_(table), most_rows_(most_rows), threads_(threads), slots_{Slot(most_rows), Slot(most_rows)} {}

    // Gathers a batch's rows and starts their copy. Waits where the copy before the last has not left its buffer.
    // std::logic_error where two batches are under way already, std::invalid_argument for too many rows.
    void start(const std::vector<std::int32_t>& ids, cudaStream_t copies) {
        if (std::int64_t(ids.size()) > most_rows_)
            throw std::invalid_argument("EngramPrefetcher: " + std::to_string(ids.size()) + " rows; expected at most " +
                                        std::to_string(most_rows_));
        Slot& slot = slots_[order_.fill()];
        slot.copied.wait();
        std::uint8_t* scales = slot.staging.data() + ids.size() * kEngramRowWidth;
        gather_on_host(table_, ids, slot.staging.data(), scales, threads_);
        slot.used.make_wait(copies);
        slot.count = std::int64_t(ids.size());
        check_cuda(cudaMemcpyAsync(slot.rows.data(), slot.staging.data(), ids.size() * kEngramRowBytes,
                                   cudaMemcpyHostToDevice, copies),
                   "copying gathered rows");
        slot.copied.mark(copies);
    }

    // The rows of the oldest batch not yet taken; what `compute` is given from now on finds them there.
    Rows take(cudaStream_t compute) {
        const Slot& slot = slots_[order_.take()];
        slot.copied.make_wait(compute);
        return {slot.rows.data(), slot.rows.data() + slot.count * kEngramRowWidth, slot.count};
    }

    // What reads the rows of the oldest batch taken has been given to `compute`: their buffer may be filled after it.
    void release(cudaStream_t compute) { slots_[order_.release()].used.mark(compute); }

private:
    struct Slot {
        explicit Slot(std::int64_t most_rows)
            : staging(std::size_t(most_rows) * kEngramRowBytes, Where::pinned),
              rows(std::size_t(most_rows) * kEngramRowBytes) {}
        Buffer<std::uint8_t> staging, rows;
        StreamEvent copied, used;
        std::int64_t count = 0;
    };

    HostTable table_;
    std::int64_t most_rows_;
    int threads_;
    Slot slots_[2];
    DoubleBuffer order_;
};

}  // namespace strata
