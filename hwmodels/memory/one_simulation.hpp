// SystemC elaborates once in a context. Each simulation of this process gets a context of its own.
#pragma once

#include <systemc>

#include <memory>

namespace strata {

// Made before a simulation's modules, and gone after them. The context that was there before stays: events of SystemC's
// library belong to it until the process ends.
class OneSimulation {
public:
    OneSimulation() : before_(sc_core::sc_get_curr_simcontext()), own_(std::make_unique<sc_core::sc_simcontext>()) {
        sc_core::sc_curr_simcontext = own_.get();
    }
    OneSimulation(const OneSimulation&) = delete;
    OneSimulation& operator=(const OneSimulation&) = delete;
    ~OneSimulation() {
        own_.reset();
        sc_core::sc_curr_simcontext = before_;
    }

private:
    sc_core::sc_simcontext* before_;
    std::unique_ptr<sc_core::sc_simcontext> own_;
};

}  // namespace strata
