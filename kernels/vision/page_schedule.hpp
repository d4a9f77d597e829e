// How many vision tokens a page takes (DeepSeek-OCR, arXiv 2510.18234, table 1), and how a history of pages fades: each
// older turn is kept in a smaller mode. The paper draws this and gives no schedule; ours is one mode smaller every
// `turns_per_mode` turns, down to the smallest.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

namespace strata {

enum class PageMode { tiny, small, base, large, gundam };

struct PageSize {
    long height = 0;
    long width = 0;
};

// The square that a page is brought to; of gundam that of its overview.
constexpr long side_of(PageMode mode) {
    switch (mode) {
        case PageMode::tiny: return 512;
        case PageMode::small: return 640;
        case PageMode::base: return 1024;
        case PageMode::large: return 1280;
        case PageMode::gundam: return 1024;
    }
    return 0;  // unreachable: the enum is complete
}

// Base and large pad the page to the square, so that its proportions stay; tiny and small stretch it.
constexpr bool pads(PageMode mode) { return mode == PageMode::base || mode == PageMode::large; }

inline constexpr long kGundamTileTokens = 100;  // tiles of 640

// Patches of 16, and a sixteenth of those: a token for 64 x 64 pixels. Gundam: `tiles` of 640 and an overview.
inline long tokens_of(PageMode mode, long tiles = 0) {
    if (mode == PageMode::gundam && (tiles < 2 || tiles > 9))
        throw std::invalid_argument("gundam takes 2 to 9 tiles, not " + std::to_string(tiles));
    const long across = side_of(mode) / 64;
    return across * across + (mode == PageMode::gundam ? tiles * kGundamTileTokens : 0);
}

// Of a padded page's tokens those that show the page: N_valid = ceil(N (1 - (max - min) / max)), which is N min / max
// rounded up.
inline long valid_tokens(PageMode mode, PageSize page, long tiles = 0) {
    if (page.height <= 0 || page.width <= 0) throw std::invalid_argument("a page without pixels has no tokens");
    const long tokens = tokens_of(mode, tiles);
    if (!pads(mode)) return tokens;
    const long longer = std::max(page.height, page.width), shorter = std::min(page.height, page.width);
    return (tokens * shorter + longer - 1) / longer;
}

// Where a page lies in the square of its mode.
struct PagePlacement {
    long side = 0;
    long top = 0;
    long left = 0;
    long height = 0;
    long width = 0;
};

inline PagePlacement placement(PageMode mode, PageSize page) {
    if (page.height <= 0 || page.width <= 0) throw std::invalid_argument("a page without pixels cannot be placed");
    const long side = side_of(mode), longer = std::max(page.height, page.width);
    if (!pads(mode)) return {side, 0, 0, side, side};
    const auto scaled = [&](long length) { return std::max(1L, (2 * length * side + longer) / (2 * longer)); };
    const long height = scaled(page.height), width = scaled(page.width);
    return {side, (side - height) / 2, (side - width) / 2, height, width};
}

// The mode of a page `age` turns old: gundam and large become base, then small, then tiny.
inline PageMode mode_at(long age, PageMode newest = PageMode::large, long turns_per_mode = 1) {
    if (age < 0 || turns_per_mode < 1) throw std::invalid_argument("a page's age counts turns, from 0");
    PageMode mode = newest;
    for (long step = 0; step < age / turns_per_mode && mode != PageMode::tiny; ++step)
        mode = mode == PageMode::small ? PageMode::tiny : mode == PageMode::base ? PageMode::small : PageMode::base;
    return mode;
}

// Tokens of a history with `pages` pages a turn, the newest turn of age 0.
inline long tokens_of_history(long turns, long pages, PageMode newest = PageMode::large, long tiles = 0,
                              long turns_per_mode = 1) {
    long tokens = 0;
    for (long age = 0; age < turns; ++age) tokens += pages * tokens_of(mode_at(age, newest, turns_per_mode), tiles);
    return tokens;
}

}  // namespace strata
