// The stages of a collective as messages. Stages that wait for each other are stages of messages; where they are taken
// to overlap, all are under way from the start, as the flow level has it. On circles and trees each part waits for
// those that it is made of.
#pragma once

#include "hwmodels/fabric/packet/packet_spec.hpp"
#include "hwmodels/fabric/stages.hpp"

namespace strata {

// Throws InputError where they are too many.
std::vector<Message> messages_of(const Fabric& fabric, const std::vector<Stage>& stages, bool pipelined);

}  // namespace strata
