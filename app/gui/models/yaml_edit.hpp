// Changes one value of a YAML text and leaves the rest of it, comments and layout, as its author wrote it. Every edit
// is read back and compared with what was asked for; only where no edit in place gives that is the document written
// anew.
#pragma once

#include <yaml-cpp/yaml.h>

#include <optional>
#include <string>

namespace strata {

// `value` is YAML of its own: "64", "8 TB/s", "[64, 128]". What is missing on the way is made; a name that stands for a
// map is spelt out, as with --set. Throws InputError if `text` or `value` is no YAML.
std::string with_value(const std::string& text, const std::string& path, const std::string& value);

// Without the field; what is not there stays so.
std::string without_value(const std::string& text, const std::string& path);

// As it stands there, on one line; nothing if it does not.
std::optional<std::string> value_at(const YAML::Node& document, const std::string& path);
std::optional<std::string> value_at(const std::string& text, const std::string& path);

}  // namespace strata
