// What a router makes of a logit: V3 takes sigmoid, V4 sqrt(softplus), V2 softmax over the experts.
#pragma once

namespace strata {

enum class Score { sigmoid, sqrt_softplus, softmax };

}  // namespace strata
