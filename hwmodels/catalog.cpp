#include "hwmodels/catalog.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "hwmodels/sourced_field.hpp"
#include "hwmodels/spec_fields.hpp"

namespace strata {

namespace {

class Reader {
public:
    explicit Reader(std::string part) : part_(std::move(part)) {}
    void part(const YamlField& root, std::vector<std::string> fields) const {
        fields.insert(fields.begin(), "name");
        root.allow_only(fields);
    }
    // A group that is not there has fields that say so, if any must.
    void group(const YamlField& field, const std::vector<std::string>& fields) const {
        if (field.exists()) field.allow_only(fields);
    }
    template <class T>
    void if_given(T& into, const YamlField& field) const {
        if (field.exists())
            (*this)(into, field);
        else
            name_it(into, field);
    }
    void operator()(Sourced<Bytes>& into, const YamlField& field) const {
        read_sourced(into, part_, field, [](const YamlField& v) { return v.bytes(); });
    }
    void operator()(Sourced<Bandwidth>& into, const YamlField& field) const {
        read_sourced(into, part_, field, [](const YamlField& v) { return v.bandwidth(); });
    }
    void operator()(Sourced<Seconds>& into, const YamlField& field) const {
        read_sourced(into, part_, field, [](const YamlField& v) { return v.seconds(); });
    }
    void operator()(Sourced<FlopRate>& into, const YamlField& field) const {
        read_sourced(into, part_, field, [](const YamlField& v) { return v.flop_rate(); });
    }
    void operator()(Sourced<double>& into, const YamlField& field) const {
        read_sourced(into, part_, field, [](const YamlField& v) { return v.number(); });
    }
    // A name, or empty where the file says null.
    void operator()(std::string& into, const YamlField& field) const {
        if (!field.exists())
            field.problem("a name, or null", "nothing");
        else if (!field.is_null())
            into = field.text();
    }

private:
    void name_it(Sourced<double>& into, const YamlField& field) const { into.field = part_ + "." + field.path(); }
    void name_it(std::string&, const YamlField&) const {}

    std::string part_;
};

void read_fields(SystemSpec& spec, const YamlField& root, const Reader& read) {
    read.part(root, {"accelerator", "accelerators_per_node", "nodes", "host", "host_link", "scale_up_link",
                     "scale_out_link", "node_power_w", "node_usd"});
    read(spec.accelerator, root["accelerator"]);
    const YamlField host = root["host"];
    read.group(host, {"memory", "memory_units", "memory_capacity", "nvme", "nvme_units"});
    read_counts(spec, root, read);
    read(spec.host_memory, host["memory"]);
    read(spec.nvme, host["nvme"]);
    read(spec.host_link, root["host_link"]);
    read(spec.scale_up_link, root["scale_up_link"]);
    read(spec.scale_out_link, root["scale_out_link"]);
}

template <class Spec>
void read_folder(std::map<std::string, Spec, std::less<>>& into, const std::filesystem::path& folder,
                 Problems& problems) {
    if (!std::filesystem::is_directory(folder)) throw InputError(folder.string() + ": no such folder of the catalogue");
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.path().extension() == ".yaml") files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const std::filesystem::path& file : files) {
        const YamlField root(load_yaml(file.string()), file.string(), "", problems);
        Spec spec;
        spec.name = root["name"].text();
        read_fields(spec, root, Reader(spec.name));
        if (!into.emplace(spec.name, spec).second) root["name"].problem("a part of this name is there already");
    }
}

void note_files(std::map<std::string, std::string, std::less<>>& into, const std::filesystem::path& folder) {
    if (!std::filesystem::is_directory(folder)) return;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.path().extension() == ".yaml") into.emplace(entry.path().stem(), entry.path());
}

template <class Spec>
const Spec& find(const std::map<std::string, Spec, std::less<>>& parts, std::string_view name, const char* kind) {
    const auto found = parts.find(name);
    if (found != parts.end()) return found->second;
    std::vector<std::string> names;
    for (const auto& part : parts) names.push_back(part.first);
    const auto meant = nearest_name(name, names);
    throw InputError(
        fmt::format("no {} '{}' in the catalogue; {}", kind, name,
                    meant ? "did you mean '" + *meant + "'?" : fmt::format("known: {}", fmt::join(names, ", "))));
}

}  // namespace

AcceleratorSpec read_accelerator(const std::filesystem::path& file) {
    Problems problems;
    const YamlField root(load_yaml(file.string()), file.string(), "", problems);
    AcceleratorSpec spec;
    spec.name = root["name"].text();
    read_fields(spec, root, Reader(spec.name));
    problems.throw_if_any();
    return spec;
}

Catalog::Catalog(const std::filesystem::path& folder) {
    Problems problems;
    read_folder(accelerators_, folder / "accelerators", problems);
    read_folder(memories_, folder / "memories", problems);
    read_folder(links_, folder / "links", problems);
    read_folder(systems_, folder / "systems", problems);
    note_files(dram_files_, folder / "dram");
    note_files(nvme_files_, folder / "nvme");
    note_files(pcie_files_, folder / "pcie");
    note_files(fabric_files_, folder / "fabrics");
    const auto refer = [&](const std::string& what, const std::string& name, auto look_up) {
        if (name.empty()) return;
        try {
            look_up(name);
        } catch (const InputError& error) {
            problems.add(what + ": " + error.what());
        }
    };
    const auto standard = [this](const std::string& name) { (void)dram_file(name); };
    for (const auto& entry : accelerators_) refer("accelerator " + entry.first, entry.second.memory_standard, standard);
    for (const auto& entry : memories_) refer("memory " + entry.first, entry.second.standard, standard);
    for (const auto& entry : links_)
        refer("link " + entry.first, entry.second.pcie, [this](const std::string& name) { (void)pcie_file(name); });
    for (const auto& entry : systems_) {
        const SystemSpec& system = entry.second;
        refer("system " + system.name, system.accelerator,
              [this](const std::string& name) { (void)accelerator(name); });
        for (const std::string& name : {system.host_memory, system.nvme})
            refer("system " + system.name, name, [this](const std::string& part) { (void)memory(part); });
        for (const std::string& name : {system.host_link, system.scale_up_link, system.scale_out_link})
            refer("system " + system.name, name, [this](const std::string& part) { (void)link(part); });
    }
    problems.throw_if_any();
}

const AcceleratorSpec& Catalog::accelerator(std::string_view name) const {
    return find(accelerators_, name, "accelerator");
}
const MemorySpec& Catalog::memory(std::string_view name) const { return find(memories_, name, "memory"); }
const LinkSpec& Catalog::link(std::string_view name) const { return find(links_, name, "link"); }
const SystemSpec& Catalog::system(std::string_view name) const { return find(systems_, name, "system"); }
const std::string& Catalog::dram_file(std::string_view standard) const {
    return find(dram_files_, standard, "DRAM standard");
}
const std::string& Catalog::nvme_file(std::string_view drive) const { return find(nvme_files_, drive, "drive model"); }
const std::string& Catalog::pcie_file(std::string_view generation) const {
    return find(pcie_files_, generation, "PCIe generation");
}
const std::string& Catalog::fabric_file(std::string_view fabric) const { return find(fabric_files_, fabric, "fabric"); }

}  // namespace strata
