// What a part was occupied with, and when: kept only where somebody asks for it. Chunks of one user that follow each
// other without a gap are one interval.
#pragma once

#include <cstdint>
#include <systemc>
#include <vector>

namespace strata {

struct BusyInterval {
    std::uint64_t user = 0;
    sc_core::sc_time begin, end;
};

class BusyLog {
public:
    void start() { kept_ = true; }
    // In order of begin, none before the end of the one before it.
    void add(std::uint64_t user, const sc_core::sc_time& begin, const sc_core::sc_time& end) {
        if (!kept_ || begin == end) return;
        if (!intervals_.empty() && intervals_.back().user == user && intervals_.back().end == begin)
            intervals_.back().end = end;
        else
            intervals_.push_back({user, begin, end});
    }
    const std::vector<BusyInterval>& intervals() const { return intervals_; }

private:
    bool kept_ = false;
    std::vector<BusyInterval> intervals_;
};

}  // namespace strata
