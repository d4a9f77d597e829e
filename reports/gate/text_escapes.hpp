// Text inside XML, inside a Markdown table and inside a workflow command of GitHub, so that no name can break out of
// its place.
#pragma once

#include <string>

namespace strata {

// Control characters, which XML 1.0 cannot hold at all, become question marks.
std::string xml_escaped(const std::string& text);
std::string markdown_escaped(const std::string& text);
// As the runner unescapes them: % and line breaks; in a property also : and ,.
std::string workflow_escaped(const std::string& text);
std::string workflow_property_escaped(const std::string& text);

}  // namespace strata
