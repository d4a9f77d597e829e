#include <fmt/format.h>

#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

// One row for each number, with its unit; an assumed number is also a footnote.
struct Listing {
    Table table{.title = "Catalogue numbers used", .columns = {"number", "value", "kind", "source"}, .folded = true};
    std::vector<std::string> assumed{};
    int published = 0;

    template <class T>
    void add(const std::string& part, const std::string& name, const Sourced<T>& number) {
        if (!number.value && number.kind == "unknown") return;  // nobody can have used it
        const std::string value = number.value ? in_unit(*number.value) : "null";
        table.rows.push_back({part + " " + name, value, number.kind, number.source});
        if (number.kind == "assumed")
            assumed.push_back(fmt::format("Assumed: {} {} = {}: {}.", part, name, value, number.source));
        else
            ++published;
    }
    static std::string in_unit(Bytes bytes) { return plain(to_GB(bytes)) + " GB"; }
    static std::string in_unit(Bandwidth rate) { return plain(rate.si() / 1e9) + " GB/s"; }
    static std::string in_unit(Seconds time) { return plain(to_us(time)) + " us"; }
    static std::string in_unit(FlopRate rate) { return plain(rate.si() / 1e12) + " TFLOPS"; }
    static std::string in_unit(double number) { return plain(number); }

    void add(const AcceleratorSpec& part) {
        add(part.name, "BF16 peak", part.bf16);
        add(part.name, "FP8 peak", part.fp8);
        add(part.name, "memory", part.memory_capacity);
        add(part.name, "memory bandwidth", part.memory_bandwidth);
        add(part.name, "scale-up domain", part.scale_up_domain);
        add(part.name, "board power [W]", part.power_w);
        add(part.name, "idle power [W]", part.idle_w);
        add(part.name, "USD an hour", part.usd_per_hour);
        add(part.name, "price [USD]", part.purchase_usd);
    }
    void add(const MemorySpec& part) {
        add(part.name, "bandwidth", part.bandwidth);
        add(part.name, "capacity", part.capacity);
        add(part.name, "read latency", part.read_latency);
        add(part.name, "random reads per s (4 KiB)", part.random_read_iops);
    }
    void add(const LinkSpec& part) {
        add(part.name, "bandwidth", part.bandwidth);
        add(part.name, "effective bandwidth", part.effective_bandwidth);
        add(part.name, "latency", part.latency);
    }
};

}  // namespace

std::optional<Section> parts_section(const Catalog& catalog, const std::vector<std::string>& systems) {
    if (systems.empty()) return std::nullopt;
    Listing listing;
    for (const std::string& name : systems) {
        const SystemSpec& system = catalog.system(name);
        listing.add(catalog.accelerator(system.accelerator));
        listing.add(name, "accelerators a node", system.accelerators_per_node);
        listing.add(name, "nodes", system.nodes);
        listing.add(name, "host memory units", system.host_memory_units);
        listing.add(name, "host memory", system.host_memory_capacity);
        listing.add(name, "drives", system.nvme_units);
        listing.add(name, "power of a node [W]", system.node_power_w);
        listing.add(name, "price of a node [USD]", system.node_usd);
        for (const std::string& memory : {system.host_memory, system.nvme})
            if (!memory.empty()) listing.add(catalog.memory(memory));
        for (const std::string& link : {system.host_link, system.scale_up_link, system.scale_out_link})
            if (!link.empty()) listing.add(catalog.link(link));
    }
    Section section{.title = "Hardware numbers"};
    section.paragraphs = {fmt::format("{} catalogue numbers with a source, {} assumed (footnotes).", listing.published,
                                      listing.assumed.size())};
    section.tables = {listing.table};
    section.footnotes = listing.assumed;
    return section;
}

}  // namespace strata
