// strata-kernels-emulated: what `strata-kernels check` does, on a machine without a GPU. Kernels, wrappers and benches
// are the same sources, compiled by g++; launches run in the emulator, a thread after the other. That the verdict of a
// launch that never was is a failure is checked too: a verification that passes on poison verifies nothing.
#include <chrono>
#include <cstdlib>
#include <iostream>

#include "kernels/bench/catalog.hpp"

namespace strata {
namespace {

constexpr std::uint64_t kSeed = 20260910;

std::string told(const Verdict& verdict) {
    return verdict.metric + " " + std::to_string(verdict.value) + ", at most " + std::to_string(verdict.tolerance) +
           " expected; " + verdict.detail;
}

// What is wrong with the kernel on this shape; nothing where all is right.
std::string fault(const Kernel& kernel, const Shape& shape) {
    const Prepared prepared = kernel.prepare(shape, 1, kSeed);
    prepared.poison();
    const bool empty = shape.dimensions().front().second == 0;
    if (!empty && prepared.verify().pass) return "its verification passes although nothing was launched";
    for (int turn = 0; turn < 2; ++turn) {
        prepared.poison();
        prepared.launch(0, nullptr);
        const Verdict verdict = prepared.verify();
        if (!verdict.pass) return (turn ? "at its second launch: " : "") + told(verdict);
    }
    for (const Baseline& baseline : prepared.baselines) baseline.launch(0, nullptr);
    prepared.poison();
    prepared.launch(0, nullptr);
    const Verdict verdict = prepared.verify();
    return verdict.pass ? "" : "after its baselines: " + told(verdict);
}

// Larger shapes are left to a GPU: the emulator runs some millions of threads a second.
int check(const std::string& filter, Bytes at_most) {
    int wrong = 0, right = 0, left = 0;
    for (const Kernel& kernel : every_kernel()) {
        if (kernel.name.rfind(filter, 0) != 0) continue;  // the beginning of its name
        for (const Shape& shape : kernel.check_shapes) {
            if (kernel.set_bytes(shape) > at_most) {
                ++left;
                continue;
            }
            const auto begin = std::chrono::steady_clock::now();
            std::string said;
            try {
                said = fault(kernel, shape);
            } catch (const NotApplicable& why) {
                std::cout << "skipped " << kernel.name << "  " << why.what() << std::endl;
                continue;
            } catch (const std::exception& error) {
                said = error.what();
            }
            ++(said.empty() ? right : wrong);
            const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
            std::cout << (said.empty() ? "ok      " : "WRONG   ") << kernel.name << "  " << shape.text() << "  "
                      << int(seconds * 1e3) << " ms  " << said << std::endl;
        }
    }
    std::cout << right << " right, " << wrong << " wrong, " << left << " left to a GPU\n";
    return wrong > 0;
}

}  // namespace
}  // namespace strata

// strata-kernels-emulated [FILTER [MEGABYTES]]
int main(int argc, char** argv) {
    return strata::check(argc > 1 ? argv[1] : "", strata::Bytes(1e6 * (argc > 2 ? std::atof(argv[2]) : 1)));
}
