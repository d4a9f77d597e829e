// A context that is partly kept as pictures of its pages, and how it fades: which pages are in which mode by age, and
// what the language model then sees (DeepSeek-OCR, arXiv 2510.18234, section 5). The paper draws the fading and gives
// no schedule; here it is what the scenario says.
#pragma once

#include <string_view>
#include <vector>

#include "kernels/vision/page_schedule.hpp"

namespace strata {

std::string_view to_string(PageMode mode);

// From an age on pages are kept in another mode.
struct Fading {
    double older_than = 0;  // pages: so many newer ones are not touched
    PageMode mode = PageMode::tiny;
};

// Gundam cuts a page into the grid of 2 to 9 tiles whose proportions are nearest to its own: 2 x 3 for A4.
inline constexpr int kTilesOfA4 = 6;

struct OpticalDials {
    PageMode mode = PageMode::base;  // of the newest pages
    int tiles = kTilesOfA4;          // of a page in gundam
    double share = 1;                // of the context's text that is kept as pictures
    double text_tokens_per_page = 0;
    std::vector<Fading> forgetting{};  // by rising age, never to a mode of more tokens
};

// Pages next to each other that are in one mode.
struct PageGroup {
    PageMode mode = PageMode::base;
    double age = 0;  // of the newest: how many pages are newer
    double pages = 0;
    double tokens_per_page = 0;  // vision tokens
    double tokens() const { return pages * tokens_per_page; }
};

double tokens_of_page(const OpticalDials& dials, PageMode mode);
PageMode mode_at_age(const OpticalDials& dials, double age);

// Whole pages that hold the pictured share of so much text; the last may be partly empty and costs as much.
double pages_of(const OpticalDials& dials, double text_tokens);
// Of `pages` pages behind `newer` newer ones, the newest first.
std::vector<PageGroup> page_groups(const OpticalDials& dials, double pages, double newer = 0);
double vision_tokens(const std::vector<PageGroup>& groups);

// The prompt and what was cached before it as text, and as pages: the prompt's are the newer ones.
struct OpticalContext {
    OpticalDials dials{};
    double prompt_text = 0, context_text = 0;  // tokens of text of one sequence

    std::vector<PageGroup> prompt_pages() const;
    std::vector<PageGroup> context_pages() const;
    std::vector<PageGroup> pages() const;  // both
    // What the model sees in their place: text that stayed text, and vision tokens.
    double prompt_tokens() const;
    double context_tokens() const;
    double pictured_text() const { return dials.share * (prompt_text + context_text); }
};

}  // namespace strata
