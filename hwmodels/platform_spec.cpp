#include "hwmodels/platform_spec.hpp"

#include <cmath>
#include <filesystem>
#include <type_traits>

#include "hwmodels/measured_parts.hpp"
#include "hwmodels/spec_fields.hpp"

namespace strata {

namespace {

// Reads what a scenario sets and leaves the rest as it is. A number stands alone (`8 TB/s`) or with its reason
// (`{value: 8 TB/s, note: "HBM4 roadmap"}`).
class Override {
public:
    // `own` are the fields that a scenario's part has beyond the catalogue's.
    explicit Override(std::vector<std::string> own = {}) : own_(std::move(own)) {}
    void part(const YamlField& root, std::vector<std::string> fields) const {
        fields.insert(fields.begin(), own_.begin(), own_.end());
        root.allow_only(fields);
    }
    void group(const YamlField& field, const std::vector<std::string>& fields) const {
        if (field.exists()) field.allow_only(fields);
    }

    template <class T>
    void if_given(T& into, const YamlField& field) const {
        (*this)(into, field);
    }

    void operator()(Sourced<Bytes>& into, const YamlField& field) const {
        set(into, field, [](const YamlField& v) { return v.bytes(); });
    }
    void operator()(Sourced<Bandwidth>& into, const YamlField& field) const {
        set(into, field, [](const YamlField& v) { return v.bandwidth(); });
    }
    void operator()(Sourced<Seconds>& into, const YamlField& field) const {
        set(into, field, [](const YamlField& v) { return v.seconds(); });
    }
    void operator()(Sourced<FlopRate>& into, const YamlField& field) const {
        set(into, field, [](const YamlField& v) { return v.flop_rate(); });
    }
    void operator()(Sourced<double>& into, const YamlField& field) const {
        set(into, field, [](const YamlField& v) { return v.number(); });
    }
    void operator()(std::string& into, const YamlField& field) const {
        if (field.exists()) into = field.text();
    }

private:
    std::vector<std::string> own_;

    template <class T, class Read>
    void set(Sourced<T>& into, const YamlField& field, Read read) const {
        if (into.field.empty()) into.field = field.path();  // of a part that is described here alone
        if (!field.exists()) return;
        const bool alone = !field.is_map();
        if (!alone) field.allow_only({"value", "note"});
        const YamlField number = alone ? field : field["value"];
        const std::size_t problems = field.problems().size();
        const T value = read(number);
        // Zero would divide something; only a latency may be wished away.
        if (!std::is_same_v<T, Seconds> && field.problems().size() == problems && !(value > T(0)))
            number.problem("a value above 0", "'" + number.text() + "'");
        into.value = value;
        into.kind = "assumed";
        into.source = "set in the scenario";
        into.note = alone || !field["note"].exists() ? "" : field["note"].text();
        if (!into.note.empty()) into.source = into.note;
    }
};

// A system that says null has no such part.
template <class Part, class Find>
std::optional<Part> part_if_named(const std::string& name, Find find) {
    if (name.empty()) return std::nullopt;
    return find(name);
}

// Looks `name` up with the error at its place in the scenario.
template <class Part, class Find>
Part found(const YamlField& name, Find find) {
    const std::string text = name.text();
    if (text.empty()) return {};
    try {
        return find(text);
    } catch (const InputError& error) {
        name.problem(error.what());
        return {};
    }
}

// Whether kernels may take other times on `part`. Its room, its price and its power change none, and of `launch` all is
// known.
bool times_may_differ(const AcceleratorSpec& part, AcceleratorSpec before) {
    before.memory_capacity = part.memory_capacity;
    before.power_w = part.power_w;
    before.idle_w = part.idle_w;
    before.usd_per_hour_low = part.usd_per_hour_low;
    before.usd_per_hour = part.usd_per_hour;
    before.usd_per_hour_high = part.usd_per_hour_high;
    before.purchase_usd = part.purchase_usd;
    before.launch = part.launch;
    return part != before;
}
template <class Part>
bool times_may_differ(const Part& part, const Part& before) {
    return part != before;
}

// A part by name, with some of its numbers measured or set, or all of that; what is set counts most. A part that is no
// longer the catalogue's has another name, so that nothing measured on the real one is taken for its own.
template <class Part, class Find, class... Measure>
Part read_part(const Part& base, const YamlField& field, Find find, Measure... measure) {
    if (!field.is_map()) return found<Part>(field, find);
    Part part = field["part"].exists() ? found<Part>(field["part"], find) : base;
    std::vector<std::string> own{"part"};
    if constexpr (sizeof...(Measure) > 0) {
        own.push_back("measured");
        if (field["measured"].exists()) (measure(part, field["measured"]), ...);
    }
    const Part before = part;
    read_fields(part, field, Override(own));
    if (part.name.empty())
        part.name = field.path();
    else if (times_may_differ(part, before))
        part.name += " (modified)";
    return part;
}

template <class Part, class Find, class... Measure>
void read_part(std::optional<Part>& part, std::string& name, const YamlField& field, Find find, Measure... measure) {
    if (!field.exists()) return;
    part = read_part(part.value_or(Part()), field, find, measure...);
    name = part->name;
}

// A record is named from where the scenario lies, so that both can be moved together.
std::string record_beside(const YamlField& name) {
    return (std::filesystem::path(name.file()).parent_path() / name.text()).string();
}

void whole(const YamlField& field) {
    if (!field.exists()) return;
    const YamlField number = field.is_map() ? field["value"] : field;
    const double value = number.number();
    if (value != std::floor(value)) number.problem("a whole number", "'" + number.text() + "'");
    if (value > 1e6) number.problem("at most 10^6", "'" + number.text() + "'");
}

// Which files describe its memories, now that their standards are settled.
PlatformSpec with_standards(PlatformSpec platform, const Catalog& catalog) {
    const auto file = [&](const std::string& standard) { return standard.empty() ? "" : catalog.dram_file(standard); };
    platform.accelerator_dram = file(platform.accelerator.memory_standard);
    if (platform.host_memory) platform.host_dram = file(platform.host_memory->standard);
    return platform;
}

// Names a file of the catalogue, or a problem.
template <class Find>
void known(const YamlField& field, Find find) {
    if (field.exists() && !field.is_null()) (void)found<std::string>(field, find);
}

}  // namespace

PlatformSpec platform_spec(const Catalog& catalog, std::string_view name) {
    const SystemSpec& system = catalog.system(name);
    const auto memory = [&](const std::string& part) { return catalog.memory(part); };
    const auto link = [&](const std::string& part) { return catalog.link(part); };
    return with_standards({.system = system,
                           .accelerator = catalog.accelerator(system.accelerator),
                           .host_memory = part_if_named<MemorySpec>(system.host_memory, memory),
                           .nvme = part_if_named<MemorySpec>(system.nvme, memory),
                           .host_link = part_if_named<LinkSpec>(system.host_link, link),
                           .scale_up_link = part_if_named<LinkSpec>(system.scale_up_link, link),
                           .scale_out_link = part_if_named<LinkSpec>(system.scale_out_link, link)},
                          catalog);
}

PlatformSpec read_platform(const YamlField& field, const Catalog& catalog) {
    field.allow_only({"system", "accelerators_per_node", "nodes", "host", "accelerator", "host_memory", "nvme",
                      "host_link", "scale_up_link", "scale_out_link", "node_power_w", "node_usd", "fabric"});
    PlatformSpec platform =
        found<PlatformSpec>(field["system"], [&](const std::string& name) { return platform_spec(catalog, name); });
    SystemSpec& system = platform.system;
    const auto memory = [&](const std::string& part) { return catalog.memory(part); };
    const auto link = [&](const std::string& part) { return catalog.link(part); };
    if (field["accelerator"].exists())
        platform.accelerator = read_part(platform.accelerator, field["accelerator"],
                                         [&](const std::string& part) { return catalog.accelerator(part); });
    system.accelerator = platform.accelerator.name;
    const auto measured_by = [&](auto take) {
        return [take, &platform](MemorySpec& part, const YamlField& name) {
            const std::size_t problems = name.problems().size();
            const std::string record = record_beside(name);
            if (name.problems().size() > problems) return;
            try {
                take(record, part, platform.system);
                platform.records.insert(record);
            } catch (const InputError& error) {
                name.problem(error.what());
            }
        };
    };
    read_part(platform.host_memory, system.host_memory, field["host_memory"], memory,
              measured_by(take_measured_memory));
    read_part(platform.nvme, system.nvme, field["nvme"], memory, measured_by(take_measured_drive));
    read_part(platform.host_link, system.host_link, field["host_link"], link);
    read_part(platform.scale_up_link, system.scale_up_link, field["scale_up_link"], link);
    read_part(platform.scale_out_link, system.scale_out_link, field["scale_out_link"], link);
    const auto dram = [&](const std::string& name) { return catalog.dram_file(name); };
    for (const YamlField& standard :
         {field["accelerator"]["memory"]["standard"], field["host_memory"]["standard"], field["nvme"]["standard"]})
        known(standard, dram);
    for (const char* role : {"host_link", "scale_up_link", "scale_out_link"})
        known(field[role]["pcie"], [&](const std::string& name) { return catalog.pcie_file(name); });
    const Override read;
    read.group(field["host"], {"memory_units", "memory_capacity", "nvme_units"});
    read_counts(system, field, read);  // after the parts: a measured one is counted as one, unless the scenario counts
    if (field.problems().empty())
        for (const YamlField& count :
             {field["accelerators_per_node"], field["nodes"], field["host"]["memory_units"],
              field["host"]["nvme_units"], field["accelerator"]["memory"]["units"], field["host_link"]["lanes"],
              field["scale_up_link"]["lanes"], field["scale_out_link"]["lanes"]})
            whole(count);
    return field.problems().empty() ? with_standards(std::move(platform), catalog) : platform;
}

}  // namespace strata
