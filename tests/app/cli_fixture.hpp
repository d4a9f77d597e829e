// The `strata` program, run as a user runs it in a folder of the test's own: what it prints where, and its exit code.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/scratch_folder.hpp"

namespace strata {

inline const std::string kProgram = std::string(STRATA_BINARY_DIR) + "/strata";
inline const std::string kSource = STRATA_SOURCE_DIR;

inline constexpr const char* kPlain =
    "model: v4.1-flash\n"
    "platform: {system: HGX_H200}\n"
    "workload: {kind: decode, batch: 512, context: 8192}\n"
    "placement: {dp: 8, ep: 8, engram: {tier: host}}\n";

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
    return text.replace(text.find(from), from.size(), to);
}

inline std::string text_of(const std::filesystem::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
}

// A folder of its own for each test, gone with it.
class Cli : public ::testing::Test {
protected:
    std::string in_folder(const std::string& name) const { return folder_ / name; }
    std::string scenario(const std::string& text) const { return folder_.write("s.yaml", text); }

    int strata(const std::string& arguments) {
        const int status = std::system(
            fmt::format("'{}' {} >{} 2>{}", kProgram, arguments, in_folder("stdout"), in_folder("stderr")).c_str());
        out = text_of(in_folder("stdout"));
        err = text_of(in_folder("stderr"));
        return WEXITSTATUS(status);
    }

    // A line for bash in the test's folder, where `strata` is found and no CI is.
    int shell(const std::string& command) {
        folder_.write("command.sh", "set -e\n" + command);
        const int status = std::system(
            fmt::format("cd '{0}' && env -u GITHUB_ACTIONS PATH='{1}':\"$PATH\" bash command.sh >stdout 2>stderr",
                        folder_.path(), STRATA_BINARY_DIR)
                .c_str());
        out = text_of(in_folder("stdout"));
        err = text_of(in_folder("stderr"));
        return WEXITSTATUS(status);
    }

    // What is seen where script(1) gives the program a terminal for all its streams.
    std::string on_terminal(const std::string& environment, const std::string& arguments) const {
        const std::string command = fmt::format("env {} '{}' {}", environment, kProgram, arguments);
        const int status = std::system(
            fmt::format("script -qec \"{}\" /dev/null >{} </dev/null", command, in_folder("typed")).c_str());
        EXPECT_NE(status, -1);
        return text_of(in_folder("typed"));
    }

    // A bare chroot or container may have none.
    static bool has_terminals() { return std::system("script -qec true /dev/null >/dev/null 2>&1 </dev/null") == 0; }

    // Exit code 2, the reason on stderr, nothing on stdout and nothing written.
    void expect_refused(const std::string& text, const std::string& reason) {
        const std::string file = text.empty() ? in_folder("missing.yaml") : scenario(text);
        EXPECT_EQ(strata(fmt::format("run {} --out {} --json {}", file, in_folder("out"), in_folder("json"))), 2);
        EXPECT_NE(err.find(reason), std::string::npos) << err;
        EXPECT_EQ(out, "");
        EXPECT_FALSE(std::filesystem::exists(in_folder("out")));
        EXPECT_FALSE(std::filesystem::exists(in_folder("json")));
    }

    std::string out, err;

    void write(const std::string& name, const std::string& text) const { folder_.write(name, text); }

private:
    ScratchFolder folder_;
};

}  // namespace strata
