#include "hwmodels/storage/nvme_spec.hpp"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "hwmodels/positive_field.hpp"

namespace strata {

namespace {

std::string value_of(const YamlField& field) { return fmt::format("'{}'", field["value"].node().Scalar()); }

void whole_number(const YamlField& field, const Sourced<double>& number, double most) {
    const double value = number.get();
    if (value != std::floor(value) || value > most)
        field["value"].problem(fmt::format("a whole number up to {}", most), value_of(field));
}

void read_flash(NvmeSpec& spec, const YamlField& flash, const PositiveFields& read) {
    flash.allow_only({"channels", "dies", "planes", "reads_of_a_die", "sense_time", "channel_rate", "parity",
                      "channel_overhead", "page", "bits_per_cell", "program_rate", "suspend_time"});
    read.required(spec.channels, flash["channels"]);
    read.required(spec.dies, flash["dies"]);
    read.required(spec.planes, flash["planes"]);
    read.required(spec.reads_of_a_die, flash["reads_of_a_die"]);
    read.required(spec.sense_time, flash["sense_time"]);
    read.required(spec.channel_rate, flash["channel_rate"]);
    read.required(spec.parity, flash["parity"]);
    read.required(spec.channel_overhead, flash["channel_overhead"]);
    read.required(spec.page, flash["page"]);
    read.required(spec.bits_per_cell, flash["bits_per_cell"]);
    read.required(spec.program_rate, flash["program_rate"]);
    read.required(spec.suspend_time, flash["suspend_time"]);
}

void read_controller(NvmeSpec& spec, const YamlField& controller, const PositiveFields& read) {
    controller.allow_only({"read_latency", "write_latency", "queue_depth", "write_buffer", "write_amplification"});
    read.required(spec.read_latency, controller["read_latency"]);
    read.required(spec.write_latency, controller["write_latency"]);
    read.required(spec.queue_depth, controller["queue_depth"]);
    read.required(spec.write_buffer, controller["write_buffer"]);
    read.required(spec.write_amplification, controller["write_amplification"]);
}

void check(const NvmeSpec& spec, const YamlField& root) {
    const YamlField flash = root["flash"], controller = root["controller"];
    whole_number(flash["channels"], spec.channels, 64);
    whole_number(flash["dies"], spec.dies, 4096);
    whole_number(flash["planes"], spec.planes, 64);
    whole_number(flash["reads_of_a_die"], spec.reads_of_a_die, spec.planes.get());
    whole_number(flash["bits_per_cell"], spec.bits_per_cell, 5);
    whole_number(controller["queue_depth"], spec.queue_depth, 65536);
    if (spec.dies.get() < spec.channels.get())
        flash["dies"]["value"].problem("at least one die a channel", value_of(flash["dies"]));
    if (spec.parity.get() < 1)
        flash["parity"]["value"].problem("at least 1: bytes with parity over bytes of data", "less");
    if (spec.write_amplification.get() < 1)
        controller["write_amplification"]["value"].problem("at least 1", "less: a drive writes what it is given");
    const double page = spec.page.get().si(), granularity = spec.granularity.get().si();
    const auto is_power_of_two = [](double bytes) {
        return bytes >= 512 && std::exp2(std::round(std::log2(bytes))) == bytes;
    };
    if (!is_power_of_two(granularity))
        root["granularity"]["value"].problem("a power of two from 512 B", value_of(root["granularity"]));
    if (!is_power_of_two(page) || page < granularity)
        flash["page"]["value"].problem("a power of two, at least the granularity", value_of(flash["page"]));
    if (!(spec.controller_time() > Seconds(0)))
        controller["read_latency"]["value"].problem(
            fmt::format("more than the {:.1f} us that flash, channel and link take of one read",
                        to_us(spec.read_latency.get() - spec.controller_time())),
            value_of(controller["read_latency"]));
}

}  // namespace

Bytes NvmeSpec::program_bytes() const { return page.get() * (planes.get() * bits_per_cell.get()); }

Seconds NvmeSpec::channel_time(double pages_parts) const {
    return channel_overhead.get() + pages_parts * (parity.get() * granularity.get() / channel_rate.get());
}

Bytes NvmeSpec::up_bytes(Bytes data) const {
    // Data and a completion entry of 16 B as posted writes; the entry of the queue (64 B) is asked for by a read.
    const double packets = std::ceil(data / link.max_payload.get()) + 1;
    return data + 16.0_B + packets * link.write_header.get() + link.request_header.get();
}

Seconds NvmeSpec::controller_time() const {
    const Bandwidth wire = link.packet_rate(static_cast<int>(lanes.get()));
    return read_latency.get() - sense_time.get() - channel_time(1) - up_bytes(granularity.get()) / wire;
}

NvmeSpec read_nvme_spec(const std::string& file) {
    Problems problems;
    const YAML::Node document = load_yaml(file);
    const YamlField root(document, file, "", problems);
    const PositiveFields read(file);
    NvmeSpec spec;
    spec.file = file;
    root.allow_only({"name", "capacity", "granularity", "flash", "controller", "link"});
    spec.name = root["name"].text();
    read.required(spec.capacity, root["capacity"]);
    read.required(spec.granularity, root["granularity"]);
    read_flash(spec, root["flash"], read);
    read_controller(spec, root["controller"], read);
    const YamlField link = root["link"];
    link.allow_only({"pcie", "lanes"});
    read.required(spec.lanes, link["lanes"]);
    const auto pcie =
        std::filesystem::path(file).parent_path().parent_path() / "pcie" / (link["pcie"].text() + ".yaml");
    if (problems.empty() && !std::filesystem::is_regular_file(pcie))
        link["pcie"].problem("the name of a table in the catalogue's folder pcie",
                             fmt::format("'{}'", link["pcie"].text()));
    problems.throw_if_any();
    spec.link = read_pcie_spec(pcie.string());
    if (!spec.link.link_layer_share.count(static_cast<int>(spec.lanes.get())))
        link["lanes"]["value"].problem("a width of the link, such as 4", value_of(link["lanes"]));
    else
        check(spec, root);
    problems.throw_if_any();
    return spec;
}

}  // namespace strata
