// How long a queue is, over time.
#pragma once

#include <algorithm>

#include "hwmodels/units.hpp"

namespace strata {

class QueueLength {
public:
    void change(int by, Seconds now) {
        area_ += length_ * (now - since_).si();
        since_ = now;
        length_ += by;
        most_ = std::max(most_, length_);
    }
    int most() const { return most_; }
    // Waiting time of all that have waited; over a time without anyone waiting at its end it is the mean length.
    Seconds waited() const { return Seconds(area_); }

private:
    int length_ = 0, most_ = 0;
    double area_ = 0;
    Seconds since_;
};

}  // namespace strata
