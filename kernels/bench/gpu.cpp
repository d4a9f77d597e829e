#include "kernels/bench/gpu.hpp"

#include <cuda_runtime.h>
#include <dlfcn.h>

#include <cstdio>

#include "kernels/launch.cuh"

namespace strata {

namespace {

int attribute(cudaDeviceAttr which) {
    int value = 0;
    return cudaDeviceGetAttribute(&value, which, 0) == cudaSuccess ? value : 0;
}

std::string text_of(const cudaUUID_t& uuid) {
    std::string text = "GPU-";
    for (int i = 0; i < 16; ++i) {
        char two[4];
        std::snprintf(two, sizeof(two), "%02x", unsigned(static_cast<unsigned char>(uuid.bytes[i])));
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += two;
    }
    return text;
}

}  // namespace

std::optional<Gpu> find_gpu() {
    int count = 0;
    const cudaError_t code = cudaGetDeviceCount(&count);
    if (code == cudaErrorNoDevice || code == cudaErrorInsufficientDriver || (code == cudaSuccess && count == 0)) {
        cudaGetLastError();
        return {};
    }
    check_cuda(code, "looking for a GPU");
    cudaDeviceProp properties{};
    check_cuda(cudaGetDeviceProperties(&properties, 0), "reading the GPU's properties");
    Gpu gpu{.name = properties.name,
            .uuid = text_of(properties.uuid),
            .major = properties.major,
            .minor = properties.minor,
            .multiprocessors = properties.multiProcessorCount,
            .l2_bytes = properties.l2CacheSize,
            .memory_bytes = std::int64_t(properties.totalGlobalMem),
            .ecc = properties.ECCEnabled != 0};
    // Both edges of the memory clock carry data.
    gpu.memory_peak_gbs =
        2e3 * attribute(cudaDevAttrMemoryClockRate) * attribute(cudaDevAttrGlobalMemoryBusWidth) / 8 / 1e9;
    cudaDriverGetVersion(&gpu.driver);
    cudaRuntimeGetVersion(&gpu.runtime);
    return gpu;
}

// The few calls that are used; their prototypes are NVML's documented ones, since its header is not always installed.
struct Management::Library {
    void* handle = nullptr;
    void* device = nullptr;
    int (*shutdown)() = nullptr;
    int (*power)(void*, unsigned*) = nullptr;
    int (*clock)(void*, int, unsigned*) = nullptr;
    int (*reasons)(void*, unsigned long long*) = nullptr;

    template <class Function>
    void find(Function& function, const char* name) {
        function = reinterpret_cast<Function>(dlsym(handle, name));
    }
    ~Library() {
        if (shutdown) shutdown();
        if (handle) dlclose(handle);
    }
};

Management::Management(const std::string& uuid) : library_(std::make_unique<Library>()) {
    library_->handle = dlopen("libnvidia-ml.so.1", RTLD_NOW);
    if (!library_->handle) return;
    int (*init)() = nullptr;
    int (*by_uuid)(const char*, void**) = nullptr;
    library_->find(init, "nvmlInit_v2");
    library_->find(by_uuid, "nvmlDeviceGetHandleByUUID");
    if (!init || !by_uuid || init() != 0) return;
    library_->find(library_->shutdown, "nvmlShutdown");
    if (by_uuid(uuid.c_str(), &library_->device) != 0) return;
    library_->find(library_->power, "nvmlDeviceGetPowerUsage");
    library_->find(library_->clock, "nvmlDeviceGetClockInfo");
    library_->find(library_->reasons, "nvmlDeviceGetCurrentClocksEventReasons");
}

Management::~Management() = default;

std::optional<double> Management::power_watts() const {
    unsigned milliwatts = 0;
    if (!library_->power || library_->power(library_->device, &milliwatts) != 0) return {};
    return milliwatts / 1e3;
}

std::optional<double> Management::sm_clock_mhz() const {
    constexpr int kSm = 1;  // NVML_CLOCK_SM
    unsigned mhz = 0;
    if (!library_->clock || library_->clock(library_->device, kSm, &mhz) != 0) return {};
    return mhz;
}

std::optional<std::string> Management::throttle() const {
    unsigned long long reasons = 0;
    if (!library_->reasons || library_->reasons(library_->device, &reasons) != 0) return {};
    // Bits of nvmlClocksEventReason*; idle (1) and application clocks (2) are no throttling.
    constexpr std::pair<unsigned long long, const char*> kNames[] = {{0x4, "software power cap"},
                                                                     {0x8, "hardware slowdown"},
                                                                     {0x20, "software thermal slowdown"},
                                                                     {0x40, "hardware thermal slowdown"},
                                                                     {0x80, "hardware power brake"}};
    std::string text;
    for (const auto& [bit, name] : kNames)
        if (reasons & bit) (text += text.empty() ? "" : ", ") += name;
    return text.empty() ? "none" : text;
}

}  // namespace strata
