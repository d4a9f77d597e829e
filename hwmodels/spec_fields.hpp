// The fields of each kind of part, written once: the catalogue reads them all, a scenario those it overrides. `Read`
// says which: read(into, field) reads one number or name, read.if_given(into, field) one that few parts have, and
// read.group(field, names) opens a map of fields.
#pragma once

#include "hwmodels/specs.hpp"
#include "hwmodels/yaml_field.hpp"

namespace strata {

template <class Read>
void read_fields(AcceleratorSpec& spec, const YamlField& root, const Read& read) {
    read.part(root, {"vendor", "cuda_name", "peak", "memory", "compute_capability", "cores", "power_w", "idle_w",
                     "price", "launch", "scale_up", "scale_out_nic"});
    read(spec.vendor, root["vendor"]);
    read.if_given(spec.cuda_name, root["cuda_name"]);
    read.group(root["peak"], {"bf16", "fp8", "fp4", "int8"});
    read(spec.bf16, root["peak"]["bf16"]);
    read(spec.fp8, root["peak"]["fp8"]);
    read(spec.fp4, root["peak"]["fp4"]);
    read.if_given(spec.int8, root["peak"]["int8"]);
    read.group(root["memory"], {"type", "capacity", "bandwidth", "standard", "units"});
    read(spec.memory_type, root["memory"]["type"]);
    read(spec.memory_capacity, root["memory"]["capacity"]);
    read(spec.memory_bandwidth, root["memory"]["bandwidth"]);
    read.if_given(spec.memory_standard, root["memory"]["standard"]);
    read.if_given(spec.memory_units, root["memory"]["units"]);
    read.if_given(spec.compute_capability, root["compute_capability"]);
    read(spec.cores, root["cores"]);
    read(spec.power_w, root["power_w"]);
    read.if_given(spec.idle_w, root["idle_w"]);
    const YamlField price = root["price"];
    read.group(price, {"hour_low", "hour", "hour_high", "purchase"});
    read.if_given(spec.usd_per_hour_low, price["hour_low"]);
    read.if_given(spec.usd_per_hour, price["hour"]);
    read.if_given(spec.usd_per_hour_high, price["hour_high"]);
    read.if_given(spec.purchase_usd, price["purchase"]);
    read.if_given(spec.launch, root["launch"]);
    read.group(root["scale_up"], {"bandwidth", "domain"});
    read(spec.scale_up_bandwidth, root["scale_up"]["bandwidth"]);
    read(spec.scale_up_domain, root["scale_up"]["domain"]);
    read(spec.nic_bandwidth, root["scale_out_nic"]);
}

template <class Read>
void read_fields(MemorySpec& spec, const YamlField& root, const Read& read) {
    read.part(root, {"type", "bandwidth", "capacity", "read_latency", "random_read_iops", "granularity", "standard"});
    read(spec.type, root["type"]);
    read.if_given(spec.standard, root["standard"]);
    read(spec.bandwidth, root["bandwidth"]);
    read(spec.capacity, root["capacity"]);
    read(spec.read_latency, root["read_latency"]);
    read(spec.random_read_iops, root["random_read_iops"]);
    read(spec.granularity, root["granularity"]);
}

template <class Read>
void read_fields(LinkSpec& spec, const YamlField& root, const Read& read) {
    read.part(root, {"bandwidth", "effective_bandwidth", "latency", "pj_per_bit", "pcie", "lanes"});
    read(spec.bandwidth, root["bandwidth"]);
    read(spec.effective_bandwidth, root["effective_bandwidth"]);
    read(spec.latency, root["latency"]);
    read.if_given(spec.pj_per_bit, root["pj_per_bit"]);
    read.if_given(spec.pcie, root["pcie"]);
    read.if_given(spec.lanes, root["lanes"]);
}

// The numbers of a system; the parts that it names are read by who knows how to look them up.
template <class Read>
void read_counts(SystemSpec& spec, const YamlField& root, const Read& read) {
    read(spec.accelerators_per_node, root["accelerators_per_node"]);
    read(spec.nodes, root["nodes"]);
    read(spec.host_memory_units, root["host"]["memory_units"]);
    read(spec.host_memory_capacity, root["host"]["memory_capacity"]);
    read(spec.nvme_units, root["host"]["nvme_units"]);
    read.if_given(spec.node_power_w, root["node_power_w"]);
    read.if_given(spec.node_usd, root["node_usd"]);
    read.if_given(spec.cxl_units, root["host"]["cxl_units"]);
    read.if_given(spec.host_sockets, root["host"]["sockets"]);
}

}  // namespace strata
