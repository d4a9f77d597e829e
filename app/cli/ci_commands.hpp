// The commands for CI and for shells: compare, baseline, gate, completion and man.
#pragma once

#include <memory>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace strata {

class CiCommands {
public:
    // `app` must outlive it.
    explicit CiCommands(CLI::App& app);
    ~CiCommands();
    // The exit code of the one that was given, if any was.
    std::optional<int> run(const std::string& root) const;

private:
    struct Parsed;
    std::unique_ptr<Parsed> parsed_;
};

}  // namespace strata
