// The definition of pixel-unshuffle: where each element of the output comes from. Nothing is computed.
#pragma once

#include "kernels/vision/pixel_unshuffle_body.hpp"

namespace strata::reference {

// The index in tokens [images][height][width][channels] of element `out` of the output; -1 where that is padding.
inline long unshuffle_source(const PixelUnshuffleTask& task, long out) {
    const long neighbours = long(task.factor) * task.factor, width = neighbours * task.channels;
    const long across = (task.width + task.factor - 1) / task.factor;
    const long down = (task.height + task.factor - 1) / task.factor;
    const long within = out % width, token = out / width;
    const bool by_channel = task.order == UnshuffleOrder::channel_first;
    const long channel = by_channel ? within / neighbours : within % task.channels;
    const long neighbour = by_channel ? within % neighbours : within / task.channels;
    const long y = token / across % down * task.factor + neighbour / task.factor;
    const long x = token % across * task.factor + neighbour % task.factor;
    if (y >= task.height || x >= task.width) return -1;
    return ((token / across / down * task.height + y) * task.width + x) * task.channels + channel;
}

}  // namespace strata::reference
