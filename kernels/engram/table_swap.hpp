// Exchanges an Engram table for another while steps go on: the new one is copied in chunks into a second buffer beside
// them, and the pointer changes between two steps, when all of it has arrived. A step is given its table by value when
// it is launched, so that no step sees two tables, and the old table's buffer is not written before the steps that were
// launched with it have read it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include "kernels/engram/engram_row.hpp"

namespace strata {

struct TableView {
    const std::uint8_t* rows = nullptr;  // of 272 bytes
    std::int64_t count = 0;
};

// Copies that go on in the background, in the order they were started in.
class BackgroundCopies {
public:
    virtual ~BackgroundCopies() = default;
    // Whatever is started from now on waits for all steps launched until now.
    virtual void after_steps_so_far() = 0;
    virtual void start(std::uint8_t* to, const std::uint8_t* from, std::size_t bytes) = 0;
    virtual bool all_arrived() = 0;
};

class TableSwap {
public:
    // Two buffers of `capacity` rows each; the first holds a table of `count` rows.
    TableSwap(std::uint8_t* active, std::int64_t count, std::uint8_t* spare, std::int64_t capacity,
              BackgroundCopies& copies, std::int64_t rows_a_chunk)
        : active_(active),
          spare_(spare),
          count_(count),
          capacity_(capacity),
          copies_(copies),
          rows_a_chunk_(rows_a_chunk) {
        if (count < 0 || count > capacity || rows_a_chunk < 1)
            throw std::invalid_argument("TableSwap: " + std::to_string(count) + " rows of " + std::to_string(capacity) +
                                        " in chunks of " + std::to_string(rows_a_chunk) +
                                        "; expected the table to fit and chunks of at least a row");
    }

    // Begins to load another table, which stays where it is until loading() is over. std::logic_error while one is
    // being loaded, std::invalid_argument where it does not fit.
    void load(const TableView& from) {
        if (loading_) throw std::logic_error("TableSwap: a table is being loaded already");
        if (from.count < 0 || from.count > capacity_)
            throw std::invalid_argument("TableSwap: a table of " + std::to_string(from.count) +
                                        " rows; expected at most " + std::to_string(capacity_));
        source_ = from, started_ = 0, loading_ = true;
    }

    // To be called before the launches of each step, which then use the table returned: starts at most `chunks` more
    // copies, so that they leave room on the bus for the step's own reads, and changes tables when all have arrived.
    TableView begin_step(int chunks) {
        if (loading_ && started_ == source_.count && copies_.all_arrived()) {
            std::swap(active_, spare_);
            count_ = source_.count, loading_ = false;
            copies_.after_steps_so_far();  // those may be reading what is the spare one now
        }
        for (int i = 0; i < chunks && loading_ && started_ < source_.count; ++i) {
            const std::int64_t rows = std::min(rows_a_chunk_, source_.count - started_);
            copies_.start(spare_ + started_ * kEngramRowStride, source_.rows + started_ * kEngramRowStride,
                          std::size_t(rows) * kEngramRowStride);
            started_ += rows;
        }
        return {active_, count_};
    }

    bool loading() const { return loading_; }

private:
    std::uint8_t *active_, *spare_;
    std::int64_t count_, capacity_;
    BackgroundCopies& copies_;
    std::int64_t rows_a_chunk_;
    TableView source_{};
    std::int64_t started_ = 0;  // rows
    bool loading_ = false;
};

}  // namespace strata
