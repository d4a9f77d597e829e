// What cuDNN makes of the operations that are described to it, for an H200 that need not be there: a convolution is
// planned to the end; attention is compiled when it is planned, which asks for the driver. Where there is none the
// toolkit's stand-in for it lets everything pass but the loading of what was compiled.
#include "kernels/bench/library_plan.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernels/bench/kernel.hpp"

namespace strata {
namespace {

// In cuDNN's own names (CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION).
constexpr const char* kH200 = R"({
    "deviceName": "NVIDIA H200", "cudaDeviceId": 0, "deviceVer": 900, "driverVer": 13000, "multiProcessorCount": 132,
    "maxGridSize": [2147483647, 65535, 65535], "maxBlockSize": [1024, 1024, 64], "regsPerBlock": 65536, "warpSize": 32,
    "maxSharedMemoryPerBlock": 49152, "maxSharedMemoryPerBlockOptin": 232448, "reservedSharedMemoryPerBlock": 1024,
    "maxRegistersPerSM": 65536, "maxCtasPerSM": 32, "maxThreadsPerBlock": 1024, "maxThreadsPerSM": 2048,
    "pciDeviceId": 0, "isTccDriver": 0, "supportCoopLaunch": 1, "smClockRateKHz": 1980000, "memClockRateKHz": 3201000,
    "l2CacheSize": 62914560, "totalGlobalMem": 150754820096})";

// Empty where there is a plan, else the reason.
template <class Shape>
std::string obstacle(const Shape& shape) {
    try {
        const LibraryPlan plan(shape, kH200);
        return "";
    } catch (const NotApplicable& why) {
        return why.what();
    }
}

// The same in a process of its own, since what stands in for the driver stays loaded.
std::string obstacle_with_stub(const AttentionShape& shape) {
    int ends[2];
    if (pipe(ends) != 0) return "no pipe";
    const pid_t child = fork();
    if (child == 0) {
        if (!dlopen("libcuda.so.1", RTLD_NOW)) dlopen(STRATA_CUDA_STUB, RTLD_NOW | RTLD_GLOBAL);
        const std::string why = obstacle(shape);
        const bool written = write(ends[1], why.data(), why.size()) == ssize_t(why.size());
        _exit(written ? 0 : 1);
    }
    close(ends[1]);
    std::string why;
    char text[256];
    for (ssize_t got; (got = read(ends[0], text, sizeof(text))) > 0;) why.append(text, std::size_t(got));
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    return status == 0 ? why : "the process that planned ended badly: " + why;
}

bool absent(const std::string& why) {
    return why.find("not installed") != std::string::npos || why.find("built without") != std::string::npos;
}

TEST(LibraryPlan, of_a_convolution_is_made_for_a_card_that_is_not_there) {
    const std::string why = obstacle(ConvolutionShape{16, 64, 64, 256, 512});
    if (absent(why)) GTEST_SKIP() << why;
    EXPECT_EQ(why, "");
    EXPECT_EQ(obstacle(ConvolutionShape{3, 33, 17, 64, 200}), "");
}

TEST(LibraryPlan, of_attention_with_keys_of_192_and_values_of_128_compiles) {
    const std::string why = obstacle_with_stub({1, 128, 4096, 16384, 192, 128});
    if (absent(why)) GTEST_SKIP() << why;
    EXPECT_TRUE(why.empty() || why.find("cuLibraryLoadData") != std::string::npos) << why;
}

TEST(LibraryPlan, of_what_cannot_be_says_why) {
    const std::string odd = obstacle_with_stub({1, 2, 16, 16, 7, 7});  // rows of 14 bytes
    if (absent(odd)) GTEST_SKIP() << odd;
    EXPECT_NE(odd.find("has no engine for this shape here"), std::string::npos) << odd;
    EXPECT_EQ(odd.find("cuLibraryLoadData"), std::string::npos) << odd;
    EXPECT_THROW(LibraryPlan(ConvolutionShape{}, "no JSON"), std::runtime_error);
}

TEST(LibraryPlan, for_a_described_card_is_not_launched) {
    if (absent(obstacle(ConvolutionShape{}))) GTEST_SKIP();
    LibraryPlan plan(ConvolutionShape{1, 8, 8, 32, 8}, kH200);
    EXPECT_THROW(plan.launch({nullptr, nullptr, nullptr}, nullptr), std::logic_error);
}

}  // namespace
}  // namespace strata
