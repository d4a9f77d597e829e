// What a scenario of kind `access` asks for: one part of a platform alone under one pattern, instead of a step of a
// model.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hwmodels/yaml_field.hpp"

namespace strata {

enum class AccessPart : std::uint8_t { accelerator_memory, host_memory, nvme, host_link };
std::string_view to_string(AccessPart part);

enum class PartPattern : std::uint8_t {
    stream,         // memories: ascending addresses
    copy,           // memories: one stream is read, another is written, a byte for a byte
    random_rows,    // memories and drives: `row` contiguous bytes at a random multiple of `row`
    bank_conflict,  // memories: every access another row of one bank
    copy_engine,    // the host link: transfers of `row` bytes, one after another
    zero_copy       // the host link: reads of `row` bytes by the accelerator's own loads
};
std::string_view to_string(PartPattern pattern);

struct Access {
    AccessPart part = AccessPart::accelerator_memory;
    PartPattern pattern = PartPattern::stream;
    Bytes row{64};           // of one request
    double write_share = 0;  // of random rows
    double load = 0;         // offered bytes over the peak; 0: as fast as it goes
    double outstanding = 0;  // requests in flight over the whole memory, or in the drive; 0: as many as it holds
    std::string beside{};    // a record of measurements to show next to the model; empty: none
};

// The fields of a workload beside its kind that belong to an access.
const std::vector<std::string>& access_fields();
Access read_access(const YamlField& workload);

}  // namespace strata
