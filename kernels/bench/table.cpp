#include "kernels/bench/table.hpp"

#include <cstdarg>
#include <cstdio>

namespace strata {

namespace {

std::string format(const char* pattern, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, pattern);
    std::vsnprintf(text, sizeof(text), pattern, arguments);
    va_end(arguments);
    return text;
}

}  // namespace

std::string table_head() {
    return format("%-34s %-44s %10s %8s %9s %9s  %s", "kernel", "shape", "t [us]", "+- [%]", "GB/s", "ceiling", "goal");
}

std::string table_line(const Sample& sample) {
    const std::string shape = sample.shape.text();
    if (sample.outcome != Outcome::measured)
        return format("%-34s %-44s ", sample.kernel.c_str(), shape.c_str()) +
               (sample.outcome == Outcome::skipped   ? "skipped: "
                : sample.outcome == Outcome::refused ? "REFUSED: "
                                                     : "FAILED: ") +
               sample.reason;
    const auto reached = goal_reached(sample);
    std::string line = format("%-34s %-44s %10.2f %8.1f %9.1f ", sample.kernel.c_str(), shape.c_str(), sample.us.median,
                              100 * sample.us.mad / sample.us.median, gigabytes_per_second(sample));
    line += sample.ceiling.empty() ? format("%9s", "") : format("%7.1f %%", 100 * sample.share);
    line += reached ? (*reached ? "  reached" : "  missed") : "";
    for (const std::string& flag : sample.flags) line += "  (" + flag + ")";
    return line;
}

}  // namespace strata
