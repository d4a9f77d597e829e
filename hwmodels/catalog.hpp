// The parts and systems that ship (or that a user adds): one YAML file each, read strictly. A number without a source,
// an unknown field or a reference to a part that is not there is an error with its place.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "hwmodels/specs.hpp"

namespace strata {

class Catalog {
public:
    // Reads FOLDER/{accelerators,memories,links,systems}/*.yaml and notes which files of models there are in
    // FOLDER/{dram,nvme,pcie,fabrics}. Throws InputError with all that is wrong.
    explicit Catalog(const std::filesystem::path& folder);

    // Throw InputError for a name that is not there, with the nearest that is.
    const AcceleratorSpec& accelerator(std::string_view name) const;
    const MemorySpec& memory(std::string_view name) const;
    const LinkSpec& link(std::string_view name) const;
    const SystemSpec& system(std::string_view name) const;
    // The files that read_dram_spec, read_nvme_spec, read_pcie_spec and read_fabric take, by name.
    const std::string& dram_file(std::string_view standard) const;
    const std::string& nvme_file(std::string_view drive) const;
    const std::string& pcie_file(std::string_view generation) const;
    const std::string& fabric_file(std::string_view fabric) const;

    template <class Spec>
    using Named = std::map<std::string, Spec, std::less<>>;
    const Named<AcceleratorSpec>& accelerators() const { return accelerators_; }
    const Named<MemorySpec>& memories() const { return memories_; }
    const Named<LinkSpec>& links() const { return links_; }
    const Named<SystemSpec>& systems() const { return systems_; }

private:
    Named<AcceleratorSpec> accelerators_;
    Named<MemorySpec> memories_;
    Named<LinkSpec> links_;
    Named<SystemSpec> systems_;
    Named<std::string> dram_files_, nvme_files_, pcie_files_, fabric_files_;
};

// One file of FOLDER/accelerators by itself. Throws InputError.
AcceleratorSpec read_accelerator(const std::filesystem::path& file);

}  // namespace strata
