// What became of a request.
#pragma once

#include "hwmodels/units.hpp"

namespace strata {

struct RequestRecord {
    Seconds scheduled;    // a replica takes it up for the first time
    Seconds first_token;  // and
    Seconds finish;       // its last token are delivered
    int delivered = 0;    // tokens, in the end the request's output_tokens
    int cached = 0;       // tokens that the prefix cache spared, at the first prefill
    int preemptions = 0;  // times its KV had to make room for others'
    int losses = 0;       // times its KV was lost with a rank
    bool finished = false;
};

}  // namespace strata
