// A step's spans by lane, ready to be drawn at any zoom: what a lane did in a stretch of time is answered from running
// sums, so that a column of pixels costs the same whether it holds one span or a million. No Qt.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sim/result/step_trace.hpp"

namespace strata {

inline constexpr std::size_t kSpanKinds = 9;  // the slots of a model, and what a part of the machine does

struct TimelineSpan {
    double begin_us = 0, end_us = 0;
    std::uint32_t name = 0;  // in StepTimeline::names
    int layer = -1;          // -1: of no layer
    std::uint8_t kind = 0;
    bool critical = false;

    double us() const { return end_us - begin_us; }
};

class TimelineLane {
public:
    // Spans in the order of their begin. One that ends after the next begins is cut there: its last bytes are on their
    // way while the lane does what comes next.
    TimelineLane(std::string rank, std::string name, std::vector<TimelineSpan> spans);

    const std::string& rank() const { return rank_; }
    const std::string& name() const { return name_; }
    const std::vector<TimelineSpan>& spans() const { return spans_; }

    // Indices of the spans that touch a stretch of time: [first, second).
    std::pair<std::size_t, std::size_t> within(double from_us, double to_us) const;

    struct Use {
        std::array<double, kSpanKinds> us{};  // busy, by kind
        double critical_us = 0;
        double busy() const;
        std::size_t most() const;  // the kind with most of it
    };
    Use use(double from_us, double to_us) const;

private:
    static constexpr std::size_t kBlock = 64;  // spans between two sums: few enough to add up, many enough to be small

    std::string rank_, name_;
    std::vector<TimelineSpan> spans_;
    std::vector<Use> sums_;  // of all spans before each block
};

struct StepTimeline {
    std::string engine{}, note{};  // note: why it is not the systemc engine's
    double makespan_us = 0;
    std::vector<std::string> names{};  // "attention mla_decode"
    std::vector<TimelineLane> lanes{};
};

// `program`: the one that the traces are of. Throws std::logic_error if they are of another.
StepTimeline timeline_of(const Program& program, const std::vector<RankTrace>& traces);

// Time of the spans of one name in one lane.
struct SpanTotal {
    std::string name{}, rank{}, lane{};
    std::size_t count = 0;
    double us = 0, critical_us = 0;
};
std::vector<SpanTotal> totals_of(const StepTimeline& timeline);  // most first

}  // namespace strata
