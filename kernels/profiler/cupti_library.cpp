#include "kernels/profiler/cupti_library.hpp"

#include <cupti.h>
#include <dlfcn.h>

#include <cstdlib>

namespace strata {

namespace {

constexpr int kInsufficientPrivileges = CUPTI_ERROR_INSUFFICIENT_PRIVILEGES;

}  // namespace

CuptiLibrary::CuptiLibrary() {
    const char* toolkit = std::getenv("CUDA_HOME");
    const std::string home = toolkit ? toolkit : "/usr/local/cuda";
    for (const std::string& folder : {std::string(), home + "/lib64/", home + "/lib/", home + "/extras/CUPTI/lib64/"})
        for (const char* name : {"libcupti.so.13", "libcupti.so"})
            if (!handle_) handle_ = dlopen((folder + name).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle_)
        throw CuptiError(
            "CUPTI was not found (libcupti.so.13, which comes with the CUDA Toolkit; CUDA_HOME says where)");
}

CuptiLibrary::~CuptiLibrary() = default;  // CUPTI keeps threads: it must not be unloaded

void* CuptiLibrary::address(const char* name) const {
    void* found = dlsym(handle_, name);
    if (!found) throw CuptiError(std::string(name) + " is not in this CUPTI: 13.0 or newer is expected");
    return found;
}

std::string CuptiLibrary::reason(int code) const {
    const char* text = nullptr;
    function<CUptiResult(CUptiResult, const char**)>("cuptiGetResultString", nullptr)(CUptiResult(code), &text);
    return text ? text : "error " + std::to_string(code);
}

void CuptiLibrary::check(int code, const char* doing) const {
    if (code == CUPTI_SUCCESS) return;
    throw CuptiError(std::string(doing) + ": " + reason(code) +
                     (code == kInsufficientPrivileges
                          ? "; counters need root, CAP_SYS_ADMIN or NVreg_RestrictProfilingToAdminUsers=0"
                          : ""));
}

}  // namespace strata
