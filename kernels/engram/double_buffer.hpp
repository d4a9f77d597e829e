// Which of two buffers is filled, used and given back next: a batch is filled while the one before it is used.
#pragma once

#include <stdexcept>

namespace strata {

// Each returns the buffer's number, 0 or 1, and throws std::logic_error for what is not its turn.
class DoubleBuffer {
public:
    int fill() {
        if (filled_ - released_ == 2) throw std::logic_error("DoubleBuffer: both are in use; release one first");
        return int(filled_++ % 2);
    }
    int take() {
        if (taken_ == filled_) throw std::logic_error("DoubleBuffer: nothing has been filled that was not taken");
        return int(taken_++ % 2);
    }
    int release() {
        if (released_ == taken_) throw std::logic_error("DoubleBuffer: nothing has been taken that was not released");
        return int(released_++ % 2);
    }

private:
    long filled_ = 0, taken_ = 0, released_ = 0;
};

}  // namespace strata
