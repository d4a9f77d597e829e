// A fabric with what one exchange puts on each of its links: a dispatch of the step's tokens to their experts, or the
// collective of the scenario. No Qt.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "app/gui/models/answer.hpp"
#include "hwmodels/fabric/fabric.hpp"

namespace strata {

// Links that part the fabric at one place: all of a layer between two levels, in one direction.
struct FabricCut {
    std::string name{};  // "scale_out, endpoints to level 1"
    LinkClass link_class = LinkClass::scale_up;
    int from_level = 0, to_level = 0;  // 0: endpoints
    int links = 0;
    double capacity_GBps = 0, carried_GB = 0;
    double busiest_share = 0, mean_share = 0;  // of the time of the exchange's busiest link
};

struct FabricUse {
    Fabric fabric;
    std::string note{};           // why this fabric, where the scenario names none
    std::string exchange{};       // "dispatch of 64 tokens a rank to 6 experts each, 64 ranks"
    std::vector<double> share{};  // of each link: its time, over that of the busiest
    double wire_us = 0, time_us = 0;
    int busiest = -1;               // link
    std::vector<FabricCut> cuts{};  // the busiest first: the bottleneck
};

std::set<std::string> fabric_names(const std::string& root);  // of the catalogue below it

// `name`: of the catalogue's fabrics; empty: the scenario's own, or the one that fits its system. Throws InputError
// where there is none, and for a workload that exchanges nothing.
FabricUse fabric_use(Answerer& answerer, const AnswerRequest& request, const std::string& name);

}  // namespace strata
