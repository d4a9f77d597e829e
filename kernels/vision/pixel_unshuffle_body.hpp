// Pixel-unshuffle on a grid of tokens with the channels innermost: factor x factor tokens become one of factor^2 times
// the channels. A block makes one token of the output: its neighbours are copied whole to shared memory, all at once
// and through no register, and read from there in the order of the output.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/elements.hpp"
#include "kernels/simt/copy_async.hpp"
#include "kernels/simt/global_store.hpp"
#include "kernels/simt/grid.hpp"

namespace strata {

enum class UnshuffleOrder {
    channel_first,   // out[c * factor^2 + dy * factor + dx], torch.nn.PixelUnshuffle's
    neighbour_first  // out[(dy * factor + dx) * channels + c]: the neighbours' tokens end to end
};

struct PixelUnshuffleTask {
    const Bf16* tokens = nullptr;  // [images][height][width][channels]
    Bf16* out = nullptr;           // [images][ceil(height / factor)][ceil(width / factor)][factor^2 * channels]
    long images = 0;
    long height = 0;
    long width = 0;
    long channels = 0;  // a multiple of 8
    int factor = 3;
    UnshuffleOrder order = UnshuffleOrder::channel_first;
};  // beyond a ragged edge: zeros

inline constexpr int kUnshuffleThreads = 256;

inline long unshuffled_tokens(const PixelUnshuffleTask& task) {
    return task.images * ceil_div(task.height, task.factor) * ceil_div(task.width, task.factor);
}

// A neighbour's channels in shared memory are followed by eight spare ones: neighbours begin in different banks.
STRATA_HD long unshuffle_stride(const PixelUnshuffleTask& task) { return task.channels + 8; }

inline Grid grid_of(const PixelUnshuffleTask& task) {
    return {.blocks = int(unshuffled_tokens(task)),
            .threads = kUnshuffleThreads,
            .shared_bytes = std::size_t(task.factor * task.factor * unshuffle_stride(task)) * sizeof(Bf16)};
}

inline void require_valid(const PixelUnshuffleTask& task) {
    if (task.images < 0 || task.height < 1 || task.width < 1 || task.channels < 8 || task.channels % 8 != 0)
        throw std::invalid_argument("pixel unshuffle: " + std::to_string(task.images) + " grids of " +
                                    std::to_string(task.height) + " x " + std::to_string(task.width) + " tokens of " +
                                    std::to_string(task.channels) + " channels; channels must be a multiple of 8");
    if (task.factor < 1 || task.factor > 8 || unshuffled_tokens(task) > 0x7FFFFFFF ||
        grid_of(task).shared_bytes > 200 * 1024)
        throw std::invalid_argument("pixel unshuffle: a factor of " + std::to_string(task.factor) +
                                    " makes tokens that do not fit in shared memory");
    if (task.images > 0 && (!task.tokens || !task.out))
        throw std::invalid_argument("pixel unshuffle: tokens and out are both needed");
    if (reinterpret_cast<std::uintptr_t>(task.tokens) % 16 != 0 || reinterpret_cast<std::uintptr_t>(task.out) % 16 != 0)
        throw std::invalid_argument("pixel unshuffle: tokens and out must be aligned to 16 bytes");
}

template <class Thread>
STRATA_BODY void pixel_unshuffle(Thread& t, const PixelUnshuffleTask& task) {
    Bf16* staged = reinterpret_cast<Bf16*>(t.shared());
    const unsigned factor = unsigned(task.factor), neighbours = factor * factor, packs = unsigned(task.channels) / 8;
    const unsigned height = unsigned(task.height), width = unsigned(task.width);
    const int channels = int(task.channels), stride = int(unshuffle_stride(task));
    const unsigned across = (width + factor - 1) / factor, down = (height + factor - 1) / factor;
    const unsigned block = unsigned(t.block()), band = block / across, image = band / down;
    const unsigned left = block % across * factor, top = band % down * factor;
    AsyncCopies copies;
    for (unsigned i = unsigned(t.thread()); i < neighbours * packs; i += kUnshuffleThreads) {
        const unsigned neighbour = i / packs, y = top + neighbour / factor, x = left + neighbour % factor;
        const long token = (long(image) * height + y) * width + x;
        const int at = int(i % packs) * 8;
        Bf16* to = staged + int(neighbour) * stride + at;
        if (y < height && x < width)
            copies.copy16(to, task.tokens + token * channels + at);
        else
            store_pack(to, 0, Pack<Bf16>{});
    }
    copies.close_group();
    copies.wait_for_all_but<0>();
    t.sync();
    Bf16* out = task.out + long(block) * neighbours * channels;
    for (unsigned i = unsigned(t.thread()); i < neighbours * packs; i += kUnshuffleThreads) {
        Pack<Bf16> pack;
        if (task.order == UnshuffleOrder::neighbour_first) {
            pack = load_pack(staged, int(i / packs) * stride + int(i % packs) * 8);
        } else {
            unsigned channel = i * 8 / neighbours, neighbour = i * 8 % neighbours;
            STRATA_UNROLL
            for (int e = 0; e < 8; ++e) {
                pack.at[e] = staged[int(neighbour) * stride + int(channel)];
                if (++neighbour == neighbours) neighbour = 0, ++channel;
            }
        }
        store_global(out, long(i) * 8, pack);
    }
}

}  // namespace strata
