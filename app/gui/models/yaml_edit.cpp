#include "app/gui/models/yaml_edit.hpp"

#include <fmt/format.h>
#include <sstream>
#include <vector>

#include "hwmodels/yaml_field.hpp"
#include "sim/scenario/sweep.hpp"

namespace strata {

namespace {

std::vector<std::string> parts_of(const std::string& path) {
    std::vector<std::string> parts;
    std::istringstream stream(path);
    for (std::string part; std::getline(stream, part, '.');) parts.push_back(part);
    return parts;
}

std::string one_line(const YAML::Node& node) {
    if (node.IsScalar() && node.Tag() != "!") return node.Scalar();
    YAML::Emitter out;
    out.SetMapFormat(YAML::Flow);
    out.SetSeqFormat(YAML::Flow);
    YAML::Node copy = YAML::Clone(node);
    if (!copy.IsScalar()) copy.SetStyle(YAML::EmitterStyle::Flow);
    out << copy;
    return out.c_str();
}

// The same content, whatever the layout and the order of keys.
bool same(const YAML::Node& a, const YAML::Node& b) {
    if (a.Type() != b.Type() || a.size() != b.size()) return false;
    if (a.IsScalar()) return a.Scalar() == b.Scalar();
    if (a.IsSequence()) {
        for (std::size_t i = 0; i < a.size(); ++i)
            if (!same(a[i], b[i])) return false;
        return true;
    }
    if (!a.IsMap()) return true;
    for (const auto& entry : a) {
        const YAML::Node other = b[entry.first.Scalar()];
        if (!other.IsDefined() || !same(entry.second, other)) return false;
    }
    return true;
}

// The deepest node on the way to a path that is there, and how many parts of the path lead to it.
struct Found {
    YAML::Node node;
    std::size_t depth = 0;
};

Found deepest(const YAML::Node& document, const std::vector<std::string>& parts) {
    Found found{document, 0};
    while (found.depth < parts.size() && found.node.IsMap()) {
        const YAML::Node child = static_cast<const YAML::Node&>(found.node)[parts[found.depth]];
        if (!child.IsDefined()) break;
        found.node.reset(child);
        ++found.depth;
    }
    return found;
}

YAML::Node node_at(const YAML::Node& document, const std::vector<std::string>& parts, std::size_t depth) {
    YAML::Node node = document;
    for (std::size_t i = 0; i < depth; ++i) {
        const YAML::Node child = static_cast<const YAML::Node&>(node)[parts[i]];
        node.reset(child);
    }
    return node;
}

bool in_flow(const std::string& text, std::size_t begin) {
    int depth = 0;  // brackets in quotes or comments can mislead this: the edit is then refused when it is read back
    for (std::size_t i = 0; i < begin; ++i)
        depth += text[i] == '{' || text[i] == '[' ? 1 : text[i] == '}' || text[i] == ']' ? -1 : 0;
    return depth > 0;
}

// Where what begins at `begin` ends: a quoted or plain scalar, or brackets with what they hold; npos of anything else.
std::size_t end_of(const std::string& text, std::size_t begin) {
    if (begin >= text.size()) return std::string::npos;
    const char first = text[begin];
    if (first == '"' || first == '\'') {
        const std::size_t end = text.find(first, begin + 1);
        return end == std::string::npos ? end : end + 1;
    }
    if (first == '{' || first == '[') {
        int depth = 0;
        for (std::size_t i = begin; i < text.size(); ++i) {
            depth += text[i] == '{' || text[i] == '[' ? 1 : text[i] == '}' || text[i] == ']' ? -1 : 0;
            if (depth == 0) return i + 1;
        }
        return std::string::npos;
    }
    std::size_t end = text.find_first_of(in_flow(text, begin) ? ",]}\n" : "\n", begin);
    if (end == std::string::npos) end = text.size();
    const std::size_t comment = text.find(" #", begin);
    if (comment < end) end = comment;
    while (end > begin && text[end - 1] == ' ') --end;
    return end;
}

std::string inserted_line(const std::string& text, const Found& at, const std::string& key, const YAML::Node& value) {
    const std::string line = fmt::format("{}: {}\n", key, one_line(value));
    if (at.depth == 0) return text + (text.empty() || text.back() == '\n' ? "" : "\n") + line;
    const auto begin = static_cast<std::size_t>(at.node.Mark().pos);
    const auto column = static_cast<std::size_t>(at.node.Mark().column);
    if (begin > text.size() || begin < column) return {};
    return fmt::format("{}{}{}{}", text.substr(0, begin), line, std::string(column, ' '), text.substr(begin));
}

bool reads_as(const std::string& text, const YAML::Node& wanted) {
    try {
        return !text.empty() && same(parse_yaml(text, "scenario"), wanted);
    } catch (const InputError&) {
        return false;
    }
}

std::string written_anew(const YAML::Node& document) { return YAML::Dump(document) + "\n"; }

// `wanted` is the document after the change; `at` what of the old one stands on the way to it.
std::string edited(const std::string& text, const Found& at, const std::vector<std::string>& parts,
                   const YAML::Node& wanted) {
    const auto begin = static_cast<std::size_t>(at.node.Mark().pos);
    const YAML::Node now = node_at(wanted, parts, at.depth);
    const bool block_map = at.node.IsMap() && (begin >= text.size() || text[begin] != '{');
    if (block_map && at.depth < parts.size() && now.IsMap()) {
        const std::string& key = parts[at.depth];
        if (now[key].IsDefined())
            if (std::string longer = inserted_line(text, at, key, now[key]); reads_as(longer, wanted)) return longer;
    } else if (!block_map) {
        const std::size_t end = end_of(text, begin);
        if (end != std::string::npos)
            if (std::string other = fmt::format("{}{}{}", text.substr(0, begin), one_line(now), text.substr(end));
                reads_as(other, wanted))
                return other;
    }
    return written_anew(wanted);
}

}  // namespace

std::string with_value(const std::string& text, const std::string& path, const std::string& value) {
    const YAML::Node document = parse_yaml(text, "scenario");
    const YAML::Node wanted = YAML::Clone(document);
    set_at(wanted, path, parse_yaml(value, path));
    const std::vector<std::string> parts = parts_of(path);
    return edited(text, deepest(document, parts), parts, wanted);
}

std::string without_value(const std::string& text, const std::string& path) {
    const YAML::Node document = parse_yaml(text, "scenario");
    const std::vector<std::string> parts = parts_of(path);
    Found found = deepest(document, parts);
    if (found.depth < parts.size()) return text;
    const YAML::Node wanted = YAML::Clone(document);
    YAML::Node parent = node_at(wanted, parts, parts.size() - 1);
    parent.remove(parts.back());
    // A line of its own goes as a whole.
    const auto begin = static_cast<std::size_t>(found.node.Mark().pos);
    const std::size_t line = begin > 0 ? text.rfind('\n', begin - 1) : std::string::npos;
    const std::size_t from = line == std::string::npos ? 0 : line + 1;
    const std::size_t next = text.find('\n', begin);
    std::string shorter = text.substr(0, from) + (next == std::string::npos ? "" : text.substr(next + 1));
    if (reads_as(shorter, wanted)) return shorter;
    return edited(text, {node_at(document, parts, parts.size() - 1), parts.size() - 1}, parts, wanted);
}

std::optional<std::string> value_at(const std::string& text, const std::string& path) {
    return value_at(parse_yaml(text, "scenario"), path);
}

std::optional<std::string> value_at(const YAML::Node& document, const std::string& path) {
    const std::vector<std::string> parts = parts_of(path);
    const Found found = deepest(document, parts);
    if (found.depth == parts.size()) return one_line(found.node);
    // A name that stands for a map: `model: v3` says model.preset.
    const bool named = found.node.IsScalar() && found.depth + 1 == parts.size() &&
                       (parts.back() == "preset" || parts.back() == "part");
    return named ? std::optional(found.node.Scalar()) : std::nullopt;
}

}  // namespace strata
