// The points of a sweep, read one after the other: what a section's axes say is read once for each of their
// combinations, and the document is changed in place. Reading is else a third of what the analytic engine takes for a
// point. Not for two threads at once.
#pragma once

#include <any>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/scenario/scenario.hpp"

namespace strata {

// Values of sections that were read, known by what the axes say below them.
class KnownSections {
public:
    // `but`: a path below it whose value the section's does not depend on.
    void add(const std::string& section, const std::vector<Axis>& axes, const std::string& but = "");
    void at(const Settings& settings);
    // What `read` gives, or gave; what has problems is not kept.
    template <class Read>
    auto of(const std::string& section, const Problems& problems, const Read& read) {
        using Value = std::invoke_result_t<Read>;
        Known& known = sections_.at(section);
        if (const auto found = known.values.find(known.key); found != known.values.end())
            return std::any_cast<const Value&>(found->second);
        Value value = read();
        if (known.values.size() >= kKept) known.values.clear();  // an axis over a range, most likely
        if (problems.empty()) known.values.emplace(known.key, value);
        return value;
    }

    // Null where the last that was read is not kept.
    template <class Value>
    const Value* kept(const std::string& section) const {
        const Known& known = sections_.at(section);
        const auto found = known.values.find(known.key);
        return found == known.values.end() ? nullptr : std::any_cast<Value>(&found->second);
    }

private:
    static constexpr std::size_t kKept = 256;
    struct Known {
        std::vector<std::size_t> settings;  // those that change it
        std::string key;                    // their values at this point
        std::map<std::string, std::any> values;
    };
    std::map<std::string, Known> sections_;
};

class PointReader {
public:
    PointReader(const ScenarioFile& file, const Catalog& catalog);
    // As ScenarioFile::read would of a point with these settings, which are of the file's axes, in their order. Good
    // until the next is read.
    const Scenario& read(const Settings& settings);

private:
    // A step that was read, and its model before rho: points that differ from it in plain numbers alone, such as the
    // batch, are the same with these set.
    struct Step {
        Scenario scenario;
        std::optional<Model> undialled;
    };

    std::string fixed_part(const Settings& settings) const;
    bool dial(Step& step, const Settings& settings) const;
    bool dial(Step& step, const std::string& path, double value) const;
    const Scenario& read_whole(const Settings& settings);

    ScenarioFile file_;
    const Catalog& catalog_;
    KnownSections known_;
    bool apart_ = true;  // no axis sets something below what another sets
    Point point_;
    std::vector<YAML::Node> set_;        // by the axes, in the point's document
    std::map<std::string, Step> steps_;  // by what is set but plain numbers
    Scenario last_;                      // where it is no such step
};

}  // namespace strata
