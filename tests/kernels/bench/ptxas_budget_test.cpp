// What ptxas said of every kernel against kernels/budgets.tsv: registers and shared memory may not grow unseen, and
// nothing spills. STRATA_WRITE_BUDGETS=1 writes the file anew; the reader of the change looks at its difference.
#include <cxxabi.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

namespace strata {
namespace {

namespace fs = std::filesystem;

struct Resources {
    int registers = 0, static_shared_bytes = 0, stack_bytes = 0, spill_bytes = 0;
};
using Kernels = std::map<std::string, Resources>;  // "quant/quantise.cu quantise_tiles_kernel" -> resources

// The name without return type, namespaces of ours and parameters.
std::string name_of(const std::string& mangled) {
    int status = 0;
    char* demangled = abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status);
    std::string name = demangled ? demangled : mangled;
    std::free(demangled);
    name = std::regex_replace(name, std::regex("strata::|\\(anonymous namespace\\)::|^void "), "");
    int depth = 0;
    for (std::size_t i = 0; i < name.size(); ++i) {
        depth += (name[i] == '<') - (name[i] == '>');
        if (depth == 0 && name[i] == '(') name.resize(i);
    }
    return std::regex_replace(name, std::regex(" "), "");
}

Kernels parsed(std::istream& log, const std::string& unit) {
    static const std::regex entry("Compiling entry function '([^']+)'"),
        frame("(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads"),
        used("Used (\\d+) registers"), shared("(\\d+) bytes smem");
    Kernels kernels;
    Resources* current = nullptr;
    std::smatch match;
    for (std::string line; std::getline(log, line);) {
        if (std::regex_search(line, match, entry)) current = &kernels[unit + " " + name_of(match[1])];
        if (!current) continue;
        if (std::regex_search(line, match, frame)) {
            current->stack_bytes = std::stoi(match[1]);
            current->spill_bytes = std::stoi(match[2]) + std::stoi(match[3]);
        }
        if (std::regex_search(line, match, used)) current->registers = std::stoi(match[1]);
        if (std::regex_search(line, match, shared)) current->static_shared_bytes = std::stoi(match[1]);
    }
    return kernels;
}

Kernels built() {
    const fs::path folder(STRATA_KERNEL_OBJECTS);
    Kernels all;
    for (const auto& file : fs::recursive_directory_iterator(folder)) {
        const std::string name = fs::relative(file.path(), folder).generic_string();
        constexpr std::string_view kEnding = ".cu.o.ptxas";
        if (name.size() < kEnding.size() || name.substr(name.size() - kEnding.size()) != kEnding) continue;
        const std::string unit = name.substr(0, name.size() - std::string_view(".o.ptxas").size());
        if (!fs::exists(fs::path(STRATA_SOURCE_DIR "/kernels") / unit)) continue;  // of a file that is gone
        std::ifstream log(file.path());
        all.merge(parsed(log, unit));
    }
    return all;
}

constexpr const char* kBudgets = STRATA_SOURCE_DIR "/kernels/budgets.tsv";

Kernels budgets() {
    Kernels all;
    std::ifstream file(kBudgets);
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') continue;
        std::istringstream fields(line);
        std::string unit, kernel;
        Resources most;
        fields >> unit >> kernel >> most.registers >> most.static_shared_bytes >> most.stack_bytes;
        EXPECT_TRUE(fields) << kBudgets << ": not five fields: " << line;
        all[unit + " " + kernel] = most;
    }
    return all;
}

void write(const Kernels& kernels) {
    std::ofstream file(kBudgets);
    file << "# What each kernel may take on sm_90a with nvcc 13.0: file, kernel, registers a thread, static shared "
            "memory\n"
            "# [B], stack [B]. Nothing may spill. Written by strata-bench-tests with STRATA_WRITE_BUDGETS=1.\n";
    for (const auto& [name, is] : kernels)
        file << name.substr(0, name.find(' ')) << '\t' << name.substr(name.find(' ') + 1) << '\t' << is.registers
             << '\t' << is.static_shared_bytes << '\t' << is.stack_bytes << '\n';
}

TEST(PtxasBudgets, no_kernel_takes_more_than_its_budget_and_none_spills) {
    const Kernels is = built();
    ASSERT_FALSE(is.empty()) << "no log of ptxas in " << STRATA_KERNEL_OBJECTS;
    if (std::getenv("STRATA_WRITE_BUDGETS")) write(is);
    Kernels may = budgets();
    for (const auto& [name, taken] : is) {
        EXPECT_EQ(taken.spill_bytes, 0) << name << " spills";
        const auto most = may.find(name);
        if (most == may.end()) {
            ADD_FAILURE() << name << " has no line in kernels/budgets.tsv (" << taken.registers << " registers)";
            continue;
        }
        EXPECT_LE(taken.registers, most->second.registers) << name;
        EXPECT_LE(taken.static_shared_bytes, most->second.static_shared_bytes) << name;
        EXPECT_LE(taken.stack_bytes, most->second.stack_bytes) << name;
        may.erase(most);
    }
    for (const auto& [name, unused] : may) ADD_FAILURE() << name << " is in kernels/budgets.tsv and in no object";
}

TEST(PtxasBudgets, a_log_is_read_as_ptxas_writes_it) {
    std::istringstream log(
        "ptxas info    : Compiling entry function '_ZN6strata3addIfEEvPT_' for 'sm_90a'\n"
        "    8 bytes stack frame, 4 bytes spill stores, 12 bytes spill loads\n"
        "ptxas info    : Used 51 registers, used 1 barriers, 8 bytes cumulative stack size, 1024 bytes smem\n");
    const Kernels kernels = parsed(log, "a/b.cu");
    ASSERT_EQ(kernels.size(), 1u);
    EXPECT_EQ(kernels.begin()->first, "a/b.cu add<float>");
    EXPECT_EQ(kernels.begin()->second.registers, 51);
    EXPECT_EQ(kernels.begin()->second.static_shared_bytes, 1024);
    EXPECT_EQ(kernels.begin()->second.stack_bytes, 8);
    EXPECT_EQ(kernels.begin()->second.spill_bytes, 16);
}

}  // namespace
}  // namespace strata
