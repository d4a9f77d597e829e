// SystemC elaborates once in a context. The next simulation of this process gets a context of its own.
#pragma once

#include <systemc>

namespace strata {

// Made before a simulation's modules, and gone after them.
class OneSimulation {
public:
    OneSimulation() = default;
    OneSimulation(const OneSimulation&) = delete;
    OneSimulation& operator=(const OneSimulation&) = delete;
    ~OneSimulation() {  // sc_get_curr_simcontext() makes a new one where there is none
        delete sc_core::sc_curr_simcontext;
        sc_core::sc_curr_simcontext = sc_core::sc_default_global_context = nullptr;
    }
};

}  // namespace strata
