// The stages of a collective as messages. Stages that wait for each other are stages of messages; where they are taken
// to overlap, all are under way from the start, as the flow level has it. On circles each part waits for the one
// before.
#pragma once

#include "hwmodels/fabric/packet/packet_spec.hpp"
#include "hwmodels/fabric/stages.hpp"

namespace strata {

// Throws InputError for what is only known as bytes on links: trees, and what switches add up.
std::vector<Message> messages_of(const Fabric& fabric, const std::vector<Stage>& stages, bool pipelined);

}  // namespace strata
