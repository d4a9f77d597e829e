// Memory-rich: tables grow and nothing else does. Loss falls by the same amount with every doubling of slots (arXiv
// 2601.07372, section 3.2); how much follows from the only two losses that are published of one backbone.
#pragma once

#include <array>
#include <string>

namespace strata {

struct MemoryAnchor {
    double slots = 0, loss = 0, plus_minus = 0;
};

struct MemoryEstimate {
    double loss = 0, low = 0, high = 0;  // the band: of lines through both anchors as rounding leaves them
    bool outside = false;                // of the slots between the anchors
};

class MemoryLaw {
public:
    explicit MemoryLaw(const std::string& anchors_file);

    MemoryEstimate loss(double slots) const;  // throws InputError for slots that are not positive
    double per_doubling() const;              // negative
    const std::array<MemoryAnchor, 2>& anchors() const { return anchors_; }
    const std::string& measured_on() const { return measured_on_; }
    const std::string& source() const { return source_; }

private:
    std::array<MemoryAnchor, 2> anchors_{};  // by rising slots
    std::string measured_on_, source_;
};

}  // namespace strata
