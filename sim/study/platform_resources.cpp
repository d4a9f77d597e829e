#include "sim/study/platform_resources.hpp"

#include <fmt/format.h>

namespace strata {

namespace {

std::string text_of(Bandwidth rate) { return fmt::format("{:.12g} GB/s", rate.si() / 1e9); }
std::string text_of(Bytes size) { return fmt::format("{:.12g} GB", to_GB(size)); }
std::string text_of(Seconds time) { return fmt::format("{:.12g} ns", time.si() * 1e9); }
std::string text_of(FlopRate rate) { return fmt::format("{:.12g} GFLOPS", rate.si() / 1e9); }
std::string text_of(double number) { return fmt::format("{:.12g}", number); }

// Collects the fields of one resource.
class Improving {
public:
    Improving(std::string name, double by) : resource_{.name = std::move(name), .better = {}}, factor_(1 + by) {}

    template <class T>
    Improving& needs(const std::string& path, const Sourced<T>& number) {
        if (!number.value) resource_.known = false;
        return with(path, number);
    }
    // A field that is better too where it is known.
    template <class T>
    Improving& with(const std::string& path, const Sourced<T>& number) {
        if (!number.value) return *this;
        T better = *number.value * factor_;
        if constexpr (std::is_same_v<T, Seconds>) better = *number.value / factor_;
        return set(path, better);
    }
    template <class T>
    Improving& set(const std::string& path, T better) {
        resource_.better.emplace_back(path, text_of(better));
        return *this;
    }
    Improving& of_device() {
        resource_.of_device = true;
        return *this;
    }
    operator PlatformResource() const { return resource_; }

private:
    PlatformResource resource_;
    double factor_;
};

void add_accelerator(std::vector<PlatformResource>& found, const AcceleratorSpec& part, double by) {
    const std::string at = "platform.accelerator.";
    const auto peaks = [&](Improving improving) {
        for (const auto& [name, rate] :
             {std::pair{"bf16", &part.bf16}, std::pair{"fp8", &part.fp8}, std::pair{"fp4", &part.fp4}})
            improving.with(fmt::format("{}peak.{}", at, name), *rate);
        return improving;
    };
    found.push_back(Improving("HBM bandwidth", by).of_device().needs(at + "memory.bandwidth", part.memory_bandwidth));
    found.push_back(Improving("HBM capacity", by).needs(at + "memory.capacity", part.memory_capacity));
    found.push_back(peaks(Improving("tensor peak", by).of_device()));
    // More of the same cores: each keeps its own peak.
    found.push_back(peaks(Improving("cores", by).of_device().needs(at + "cores", part.cores)));
    const double launch = part.launch.value.value_or(1);
    found.push_back(Improving("kernel launch", by).set(at + "launch", launch / (1 + by)));
}

void add_link(std::vector<PlatformResource>& found, const std::string& name, const std::string& role,
              const std::optional<LinkSpec>& link, double by) {
    if (!link) return;
    const std::string at = fmt::format("platform.{}.", role);
    Improving bandwidth(name + " bandwidth", by);
    if (role == "scale_up_link") bandwidth.of_device();  // exchanges were measured on this device with its own
    found.push_back(
        bandwidth.needs(at + "bandwidth", link->bandwidth).with(at + "effective_bandwidth", link->effective_bandwidth));
    found.push_back(Improving(name + " latency", by).needs(at + "latency", link->latency));
}

}  // namespace

std::vector<PlatformResource> improvable_resources(const PlatformSpec& platform, double by) {
    std::vector<PlatformResource> found;
    add_accelerator(found, platform.accelerator, by);
    add_link(found, "scale-up", "scale_up_link", platform.scale_up_link, by);
    add_link(found, "scale-out", "scale_out_link", platform.scale_out_link, by);
    add_link(found, "host link", "host_link", platform.host_link, by);
    if (platform.host_memory)
        found.push_back(Improving("host memory bandwidth", by)
                            .needs("platform.host_memory.bandwidth", platform.host_memory->bandwidth));
    if (platform.nvme) {
        found.push_back(Improving("drives", by)
                            .needs("platform.nvme.bandwidth", platform.nvme->bandwidth)
                            .needs("platform.nvme.random_read_iops", platform.nvme->random_read_iops));
        found.push_back(
            Improving("drive latency", by).needs("platform.nvme.read_latency", platform.nvme->read_latency));
    }
    return found;
}

PathValues as_another_device(const PlatformSpec& platform) {
    return {{"platform.accelerator.memory.bandwidth", text_of(platform.accelerator.memory_bandwidth.get())}};
}

}  // namespace strata
