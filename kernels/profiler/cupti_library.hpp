// CUPTI, loaded when asked for: the program starts without it, and without a driver.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

namespace strata {

// CUPTI is not there, or refuses: `what` says which call and why ("insufficient privileges").
class CuptiError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

class CuptiLibrary {
public:
    // Looks where the loader looks, and in the folders of the CUDA Toolkit. Throws CuptiError.
    CuptiLibrary();
    ~CuptiLibrary();
    CuptiLibrary(const CuptiLibrary&) = delete;
    CuptiLibrary& operator=(const CuptiLibrary&) = delete;

    // function("cuptiGetVersion", &cuptiGetVersion): the second argument gives the type and is not linked against.
    template <class Function>
    Function* function(const char* name, Function*) const {
        return reinterpret_cast<Function*>(address(name));
    }
    std::string reason(int code) const;
    void check(int code, const char* doing) const;

private:
    void* address(const char* name) const;
    void* handle_ = nullptr;
};

}  // namespace strata

// Calls a function of CUPTI by name and throws where it fails; its prototype comes from the header, its code from
// dlopen.
#define STRATA_CUPTI(library, name, ...) \
    (library).check((library).function<std::remove_pointer_t<decltype(&name)>>(#name, nullptr)(__VA_ARGS__), #name)

// A parameter block of CUPTI, empty but for its size, which tells CUPTI which version of it this is.
#define STRATA_CUPTI_PARAMS(type, name) \
    type name{};                        \
    name.structSize = type##_STRUCT_SIZE
