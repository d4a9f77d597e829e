// What wgmma.hpp does in the emulator: each thread computes the elements of the product that its registers hold, from
// the operands as the descriptors say that they lie in shared memory.
#pragma once

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>
#include <vector>

#include "kernels/elements.hpp"
#include "kernels/simt/swizzle.hpp"
#include "kernels/simt/wgmma_registers.hpp"

namespace strata {

// While one lives, E4M3 products are added as Hopper's tensor cores do: the 32 products of an instruction are aligned
// to the largest and cut below 13 fraction bits, and so is the sum after each instruction (14 significant bits:
// DeepSeek-V3, arXiv 2412.19437 section 3.5.2; which bits are cut where is a model, the card's are not published).
class LimitedFp8Accumulation {
public:
    LimitedFp8Accumulation() { on() = true; }
    ~LimitedFp8Accumulation() { on() = false; }
    LimitedFp8Accumulation(const LimitedFp8Accumulation&) = delete;
    LimitedFp8Accumulation& operator=(const LimitedFp8Accumulation&) = delete;
    static bool& on() {
        static thread_local bool limited = false;
        return limited;
    }
};

// Toward zero, to a multiple of 2^(exponent of `largest` - 13).
inline double cut_below_13_bits(double value, double largest) {
    if (largest == 0 || !std::isfinite(largest)) return value;
    const double unit = std::ldexp(1.0, std::ilogb(largest) - 13);
    return std::trunc(value / unit) * unit;
}

template <int k>
double limited_dot(const float* a, const float* b) {
    double products[k], largest = 0, sum = 0;
    for (int i = 0; i < k; ++i) {
        products[i] = double(a[i]) * b[i];
        largest = std::fmax(largest, std::fabs(products[i]));
    }
    for (const double product : products) sum += cut_below_13_bits(product, largest);
    return sum;
}

template <class Thread>
void check_same_in_warp(Thread& t, std::uint64_t descriptor) {
    if (t.shuffle(descriptor, 0) != descriptor)
        throw std::logic_error("emulator: lanes of a warp give different matrix descriptors");
}

// Products that were started and are not yet waited for, in groups.
class EmulatedProducts {
public:
    using Product = std::function<void(float*)>;

    void start(float* sum, int registers, Product product) {
        Held* held = find(sum);
        if (!held) {
            held_.push_back({sum, std::vector<float>(sum, sum + registers), 0});
            held = &held_.back();
            for (int i = 0; i < registers; ++i) sum[i] = std::numeric_limits<float>::quiet_NaN();
        }
        ++held->in_flight;
        open_.push_back({sum, std::move(product)});
    }
    void close_group() { groups_.push_back(std::move(open_)), open_.clear(); }
    void finish_all_but(int newest) {
        if (!open_.empty()) throw std::logic_error("emulator: a wait for products of a group that was not closed");
        while (int(groups_.size()) > newest) {
            for (auto& [sum, product] : groups_.front()) finish(sum, product);
            groups_.erase(groups_.begin());
        }
    }
    // Throws where the sum still has products under way.
    void check_free(const float* sum) const {
        for (const Held& held : held_)
            if (held.sum == sum)
                throw std::logic_error("emulator: a sum is waited for that still has products under way");
    }

private:
    struct Held {
        float* sum;
        std::vector<float> values;
        int in_flight;
    };
    struct Started {
        float* sum;
        Product product;
    };

    Held* find(const float* sum) {
        for (Held& held : held_)
            if (held.sum == sum) return &held;
        return nullptr;
    }
    void finish(float* sum, Product& product) {
        Held* held = find(sum);
        product(held->values.data());
        if (--held->in_flight > 0) return;
        std::copy(held->values.begin(), held->values.end(), sum);
        held_.erase(held_.begin() + (held - held_.data()));
    }

    std::vector<Started> open_;
    std::vector<std::vector<Started>> groups_;
    std::vector<Held> held_;
};

// Rows of A that this thread's elements need: `thread / 4 % 8` of its warp's 16 and eight further down.
template <class Element>
class EmulatedOperandA {
public:
    static constexpr int kDepth = 32 / int(sizeof(Element));

    template <class Thread>
    EmulatedOperandA(Thread& t, std::uint64_t descriptor) : descriptor_(descriptor), in_registers_(false) {
        check_same_in_warp(t, descriptor);
    }
    // Registers are read when the product starts: a thread may not change them before it waits, and here it cannot.
    template <class Thread>
    EmulatedOperandA(Thread& t, const WgmmaA& mine) : in_registers_(true) {
        WgmmaA all[32];
        t.gather(mine, all, "wgmma");
        for (int half = 0; half < 2; ++half)
            for (int k = 0; k < kDepth; ++k) {
                const int byte = k * int(sizeof(Element));
                const WgmmaA& owner = all[t.lane() / 4 * 4 + byte % 16 / 4];
                Element element;
                std::memcpy(&element, reinterpret_cast<const char*>(&owner.at[byte / 16 * 2 + half]) + byte % 4,
                            sizeof(Element));
                rows_[std::size_t(half)][std::size_t(k)] = to_float(element);
            }
    }
    template <class Thread>
    void fetch(Thread& t) {
        if (in_registers_) return;
        const MatrixDescriptor d = decoded(descriptor_);
        for (int half = 0; half < 2; ++half)
            for (int k = 0; k < kDepth; ++k) {
                const int row = wgmma_row(t.thread() % kWarpgroup, half * 2);
                const std::uint32_t address = k_major_address(d, row, k, sizeof(Element));
                rows_[std::size_t(half)][std::size_t(k)] =
                    to_float(*reinterpret_cast<const Element*>(t.at_shared_address(address, sizeof(Element))));
            }
    }
    const float* row(int half) const { return rows_[std::size_t(half)].data(); }

private:
    std::uint64_t descriptor_ = 0;
    bool in_registers_;
    std::array<std::array<float, std::size_t(kDepth)>, 2> rows_{};
};

struct EmulatedOperandB {
    EmulatedOperandB(std::uint64_t descriptor, bool mn) : at(decoded(descriptor)), mn_major(mn) {
        if (at.swizzle == Swizzle::none || at.base_offset != 0)
            throw std::logic_error("emulator: a matrix descriptor without a swizzle or with a base offset");
    }
    std::uint32_t address(int column, int k, int size) const {
        return mn_major ? mn_major_address(at, column, k, size) : k_major_address(at, column, k, size);
    }
    MatrixDescriptor at;
    bool mn_major;
};

template <class Element, class Thread>
void multiply_emulated(Thread& t, float* sum, int n, EmulatedOperandA<Element>& a, const EmulatedOperandB& b,
                       bool add) {
    constexpr int kDepth = EmulatedOperandA<Element>::kDepth;
    const bool limited = sizeof(Element) == 1 && LimitedFp8Accumulation::on();
    a.fetch(t);
    float column[kDepth];
    for (int i = 0; i < n / 2; ++i) {
        if (i % 4 >= 2) continue;  // two rows share a column
        for (int k = 0; k < kDepth; ++k) {
            const std::uint32_t address = b.address(wgmma_column(t.thread() % kWarpgroup, i), k, int(sizeof(Element)));
            column[k] = to_float(*reinterpret_cast<const Element*>(t.at_shared_address(address, sizeof(Element))));
        }
        for (int half = 0; half < 2; ++half) {
            float& into = sum[i + 2 * half];
            const float before = add ? into : 0.0f;
            const float* row = a.row(half);
            if (limited) {
                const double together = double(before) + limited_dot<kDepth>(row, column);
                into = float(cut_below_13_bits(together, together));
            } else {
                double dot = 0;
                for (int k = 0; k < kDepth; ++k) dot += double(row[k]) * column[k];
                into = float(before + dot);
            }
        }
    }
}

}  // namespace strata
