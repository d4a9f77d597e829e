#include "hwmodels/yaml_limits.hpp"

#include <fmt/format.h>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

std::string mark_of(const YAML::Node& node, const std::string& name) {
    const YAML::Mark mark = node.Mark();
    return mark.is_null() ? name : fmt::format("{}:{}:{}", name, mark.line + 1, mark.column + 1);
}

class Walk {
public:
    explicit Walk(const std::string& name) : name_(name) {}

    void visit(const YAML::Node& node, int depth) {
        if (++nodes_ > kMostYamlNodes)
            throw InputError(mark_of(node, name_),
                             fmt::format("at most {} values, aliases (*) counted each time", kMostYamlNodes), "more");
        if (depth > kMostYamlDepth)
            throw InputError(mark_of(node, name_), fmt::format("values nested at most {} deep", kMostYamlDepth),
                             "deeper ones, or an alias (*) inside its own anchor (&)");
        if (node.IsSequence())
            for (const YAML::Node& item : node) visit(item, depth + 1);
        if (!node.IsMap()) return;
        for (const auto& entry : node) {
            check_key(entry.first);
            visit(entry.second, depth + 1);
        }
    }

private:
    void check_key(const YAML::Node& key) const {
        if (!key.IsScalar()) throw InputError(mark_of(key, name_), "the name of a field", "a list or a map before ':'");
        if (key.Scalar().size() > kLongestYamlKey)
            throw InputError(mark_of(key, name_), fmt::format("a name of at most {} characters", kLongestYamlKey),
                             fmt::format("{}", key.Scalar().size()));
    }

    const std::string& name_;
    std::size_t nodes_ = 0;
};

}  // namespace

void check_yaml_size(std::size_t bytes, const std::string& name) {
    if (bytes > kMostYamlBytes)
        throw InputError(name, fmt::format("a document of at most {} MiB", kMostYamlBytes >> 20),
                         fmt::format("{:.1f} MiB", double(bytes) / (1 << 20)));
}

void check_yaml_limits(const YAML::Node& document, const std::string& name) { Walk(name).visit(document, 0); }

}  // namespace strata
