// Completion and manual page, by the shells and readers that use them. zsh and fish are asked where they are installed.
#include <sstream>

#include "tests/app/cli_fixture.hpp"

namespace strata {
namespace {

class Completion : public Cli {
protected:
    static bool is_installed(const std::string& program) {
        return std::system(fmt::format("command -v {} >/dev/null", program).c_str()) == 0;
    }

    // What a real bash offers for the last of the words.
    std::string offered(const std::string& words) {
        std::istringstream stream(words);
        std::string list, word;
        int count = 0;
        for (; stream >> word; ++count) list += fmt::format(" '{}'", word);
        if (words.back() == ' ') {
            list += " ''";
            ++count;
        }
        EXPECT_EQ(shell(fmt::format("strata completion bash > strata.bash; source strata.bash; COMP_WORDS=({}); "
                                    "COMP_CWORD={}; _strata; echo \"${{COMPREPLY[@]}}\"",
                                    list, count - 1)),
                  0)
            << err;
        return out.substr(0, out.size() - 1);
    }
};

TEST_F(Completion, bash_offers_commands_options_and_choices) {
    EXPECT_EQ(offered("strata va"), "validate");
    EXPECT_EQ(offered("strata run --js"), "--json");
    EXPECT_EQ(offered("strata run s.yaml --engine "), "analytic systemc bank");
    EXPECT_EQ(offered("strata run s.yaml --engine s"), "systemc");
    EXPECT_EQ(offered("strata measure h"), "host");
    EXPECT_EQ(offered("strata measure host --only stream_read --no"), "--no-io-uring");
    EXPECT_EQ(offered("strata catalog m"), "models");
    EXPECT_EQ(offered("strata completion z"), "zsh");
    EXPECT_EQ(offered("strata run --json "), "");  // then bash completes files
    EXPECT_EQ(offered("strata run "), "");
}

TEST_F(Completion, every_command_of_the_help_is_offered) {
    const std::string commands = fmt::format(" {} ", offered("strata "));
    ASSERT_EQ(shell("strata --help"), 0);
    std::istringstream lines(out.substr(out.find("Subcommands:")));
    int seen = 0;
    std::string line;
    for (std::getline(lines, line); std::getline(lines, line) && line.rfind("  ", 0) == 0;) {
        if (line[2] == ' ') continue;  // a description goes on
        const std::string name = line.substr(2, line.find(' ', 2) - 2);
        EXPECT_NE(commands.find(fmt::format(" {} ", name)), std::string::npos) << name;
        ++seen;
    }
    EXPECT_GE(seen, 15);
}

TEST_F(Completion, fish_offers_the_same) {
    if (!is_installed("fish")) GTEST_SKIP() << "fish is not installed";
    const auto fish = [&](const std::string& line) {
        EXPECT_EQ(shell(fmt::format("export HOME=$PWD; strata completion fish > s.fish; fish --no-config -c 'source "
                                    "s.fish; complete -C \"{}\"' | cut -f 1 | tr '\\n' ' '",
                                    line)),
                  0)
            << err;
        return out;
    };
    EXPECT_EQ(fish("strata va"), "validate ");
    EXPECT_EQ(fish("strata run s.yaml --engine s"), "systemc ");
    EXPECT_EQ(fish("strata measure h"), "host ");
    EXPECT_EQ(fish("strata measure host --no"), "--no-io-uring ");
}

TEST_F(Completion, zsh_takes_its_functions) {
    if (!is_installed("zsh")) GTEST_SKIP() << "zsh is not installed";
    EXPECT_EQ(
        shell("strata completion zsh > _strata; zsh -f -c 'autoload -U compinit; compinit -u -D; source ./_strata; "
              "whence -w _strata _strata_measure_host; print $_comps[strata]'"),
        0)
        << err;
    EXPECT_EQ(out, "_strata: function\n_strata_measure_host: function\n_strata\n") << err;
}

TEST_F(Completion, the_manual_page_is_clean_and_says_every_option) {
    ASSERT_EQ(shell("strata man > strata.1; groff -man -Tutf8 -ww -z strata.1"), 0);
    EXPECT_EQ(err, "");
    ASSERT_EQ(shell("MANWIDTH=200 man --warnings -l strata.1 | col -bx"), 0) << err;
    EXPECT_EQ(err, "");
    for (const char* part : {"strata measure host", "--no-io-uring", "--fail-if VALUE", "EXIT STATUS", "STRATA_ROOT",
                             "strata compare before.json after.json --fail-if 'decode.tokens_per_s < -2%'",
                             "--engine analytic|systemc|bank", "no CUDA device"})
        EXPECT_NE(out.find(part), std::string::npos) << part;
}

}  // namespace
}  // namespace strata
