#include "sim/quality/optical_schedule.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace strata {

std::string_view to_string(PageMode mode) {
    constexpr std::array<std::string_view, 5> kNames{"tiny", "small", "base", "large", "gundam"};
    return kNames[static_cast<std::size_t>(mode)];
}

double tokens_of_page(const OpticalDials& dials, PageMode mode) { return double(tokens_of(mode, dials.tiles)); }

PageMode mode_at_age(const OpticalDials& dials, double age) {
    PageMode mode = dials.mode;
    for (const Fading& step : dials.forgetting)
        if (age >= step.older_than) mode = step.mode;
    return mode;
}

double pages_of(const OpticalDials& dials, double text_tokens) {
    constexpr double kRounding = 1e-9;  // a share is a rounded decimal: 10.000000001 pages are 10
    const double pages = dials.share * text_tokens / dials.text_tokens_per_page;
    return std::ceil(pages * (1 - kRounding));
}

std::vector<PageGroup> page_groups(const OpticalDials& dials, double pages, double newer) {
    std::vector<PageGroup> groups;
    const double end = newer + pages;
    for (double age = newer; age < end;) {
        double next = end;
        for (const Fading& step : dials.forgetting)
            if (step.older_than > age) next = std::min(next, step.older_than);
        const PageMode mode = mode_at_age(dials, age);
        groups.push_back(
            {.mode = mode, .age = age, .pages = next - age, .tokens_per_page = tokens_of_page(dials, mode)});
        age = next;
    }
    return groups;
}

double vision_tokens(const std::vector<PageGroup>& groups) {
    double sum = 0;
    for (const PageGroup& group : groups) sum += group.tokens();
    return sum;
}

std::vector<PageGroup> OpticalContext::prompt_pages() const { return page_groups(dials, pages_of(dials, prompt_text)); }

std::vector<PageGroup> OpticalContext::context_pages() const {
    return page_groups(dials, pages_of(dials, context_text), pages_of(dials, prompt_text));
}

std::vector<PageGroup> OpticalContext::pages() const {
    std::vector<PageGroup> all = prompt_pages();
    for (const PageGroup& group : context_pages()) all.push_back(group);
    return all;
}

double OpticalContext::prompt_tokens() const { return (1 - dials.share) * prompt_text + vision_tokens(prompt_pages()); }

double OpticalContext::context_tokens() const {
    return (1 - dials.share) * context_text + vision_tokens(context_pages());
}

}  // namespace strata
