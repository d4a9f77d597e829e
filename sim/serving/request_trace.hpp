// Requests as they were recorded, from CSV: arrival_s,input_tokens,output_tokens[,prefix_id[,prefix_tokens]].
#pragma once

#include <string>
#include <vector>

#include "sim/serving/request.hpp"

namespace strata {

// The first line names the columns, in this order. Lines stand in order of arrival. An empty prefix_id: none. Without
// prefix_tokens, all of the shorter input of two requests with one prefix is common to both, as in a conversation that
// goes on. Throws InputError with file and line.
std::vector<Request> read_request_trace(const std::string& file);

}  // namespace strata
