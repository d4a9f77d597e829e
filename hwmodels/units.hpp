// Physical quantities as types: a number that knows its unit cannot be passed where another is meant.
// Stored as double in SI base units; written and printed in the units engineers use. Includes nothing of ours.
#pragma once

#include <compare>

namespace strata {

template <int ByteExp, int SecondExp, int FlopExp>
class Quantity {
public:
    constexpr Quantity() = default;
    constexpr explicit Quantity(double in_si) : si_(in_si) {}
    constexpr double si() const { return si_; }
    constexpr auto operator<=>(const Quantity&) const = default;
    // Three ways in which doubles may compare are a branch or two; what engines ask all the time is one instruction.
    friend constexpr bool operator<(Quantity a, Quantity b) { return a.si_ < b.si_; }
    friend constexpr bool operator>(Quantity a, Quantity b) { return a.si_ > b.si_; }
    friend constexpr bool operator<=(Quantity a, Quantity b) { return a.si_ <= b.si_; }
    friend constexpr bool operator>=(Quantity a, Quantity b) { return a.si_ >= b.si_; }

    constexpr Quantity& operator+=(Quantity other) {
        si_ += other.si_;
        return *this;
    }
    friend constexpr Quantity operator+(Quantity a, Quantity b) { return Quantity(a.si_ + b.si_); }
    friend constexpr Quantity operator-(Quantity a, Quantity b) { return Quantity(a.si_ - b.si_); }
    friend constexpr Quantity operator*(Quantity a, double factor) { return Quantity(a.si_ * factor); }
    friend constexpr Quantity operator*(double factor, Quantity a) { return a * factor; }
    friend constexpr Quantity operator/(Quantity a, double divisor) { return Quantity(a.si_ / divisor); }
    friend constexpr double operator/(Quantity a, Quantity b) { return a.si_ / b.si_; }

private:
    double si_ = 0;
};

template <int B1, int S1, int F1, int B2, int S2, int F2>
constexpr auto operator/(Quantity<B1, S1, F1> a, Quantity<B2, S2, F2> b) {
    return Quantity<B1 - B2, S1 - S2, F1 - F2>(a.si() / b.si());
}

template <int B1, int S1, int F1, int B2, int S2, int F2>
constexpr auto operator*(Quantity<B1, S1, F1> a, Quantity<B2, S2, F2> b) {
    return Quantity<B1 + B2, S1 + S2, F1 + F2>(a.si() * b.si());
}

using Bytes = Quantity<1, 0, 0>;
using Seconds = Quantity<0, 1, 0>;
using Flops = Quantity<0, 0, 1>;
using Bandwidth = Quantity<1, -1, 0>;  // bytes per second, per direction
using FlopRate = Quantity<0, -1, 1>;   // floating-point operations per second, dense

inline namespace literals {
constexpr Bytes operator""_B(long double v) { return Bytes(double(v)); }
constexpr Bytes operator""_GB(long double v) { return Bytes(double(v) * 1e9); }
constexpr Bandwidth operator""_GBps(long double v) { return Bandwidth(double(v) * 1e9); }
constexpr FlopRate operator""_TFLOPS(long double v) { return FlopRate(double(v) * 1e12); }
constexpr Seconds operator""_us(long double v) { return Seconds(double(v) * 1e-6); }
constexpr Seconds operator""_ns(long double v) { return Seconds(double(v) * 1e-9); }
}  // namespace literals

constexpr double to_us(Seconds t) { return t.si() * 1e6; }
constexpr double to_ms(Seconds t) { return t.si() * 1e3; }
constexpr double to_GB(Bytes b) { return b.si() / 1e9; }

static_assert(4.8_GB / 4800.0_GBps == Seconds(0.001));

}  // namespace strata
