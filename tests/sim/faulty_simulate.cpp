// A stand-in for strata-simulate that goes wrong on demand, as a process: it answers lines as that one does, but a line
// that says so makes it crash, hang, or eat memory until there is none. `FAULTS=once:FILE` in the environment: a line
// goes wrong the first time only (FILE remembers).
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace {

// Whether this one has been through it before.
bool is_over(const std::string& what) {
    const char* faults = std::getenv("FAULTS");
    if (!faults || std::strncmp(faults, "once:", 5) != 0) return false;
    const std::string file = std::string(faults + 5) + "." + what;
    const bool known = std::ifstream(file).good();
    std::ofstream(file) << what;
    return known;
}

[[noreturn]] void crash() {
    signal(SIGSEGV, SIG_DFL);  // a sanitizer would make a report of it
    raise(SIGSEGV);
    _exit(1);
}

[[noreturn]] void eat() {
    const rlimit little{64 << 20, 64 << 20};
    setrlimit(RLIMIT_DATA, &little);  // of what a machine has, so that it ends soon
    for (std::vector<void*> eaten;;) {
        eaten.push_back(std::malloc(1 << 20));
        if (!eaten.back()) crash();
        std::memset(eaten.back(), 1, 1 << 20);
    }
}

}  // namespace

int main() {
    for (std::string line; std::getline(std::cin, line);) {
        const nlohmann::json request = nlohmann::json::parse(line);
        const std::string document = request.at("document");
        if (document.find("crash") != std::string::npos && !is_over("crash")) crash();
        if (document.find("hang") != std::string::npos && !is_over("hang")) pause();
        if (document.find("eat") != std::string::npos && !is_over("eat")) eat();
        if (document.find("leave") != std::string::npos && !is_over("leave")) return 0;
        std::cout << nlohmann::json{{"id", request.at("id")}, {"status", "ok"}, {"document", document}} << std::endl;
    }
}
