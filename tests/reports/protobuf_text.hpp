// Protobuf's text format, as protoc --decode prints it, as a tree.
#pragma once

#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace strata {

struct ProtobufText {
    std::multimap<std::string, std::string> fields;  // strings with their quotes
    std::multimap<std::string, ProtobufText> messages;

    // Up to the brace that closes it, or the end.
    static ProtobufText read(std::istream& from) {
        ProtobufText message;
        for (std::string word; from >> word && word != "}";) {
            if (word.back() != ':') {
                from >> std::ws;
                from.get();  // its brace
                message.messages.emplace(word, read(from));
                continue;
            }
            std::string value;
            std::getline(from >> std::ws, value);
            message.fields.emplace(word.substr(0, word.size() - 1), value);
        }
        return message;
    }
    std::string text(const std::string& name) const {
        const auto found = fields.find(name);
        return found == fields.end() ? "" : found->second;
    }
    long long number(const std::string& name) const {
        const auto found = fields.find(name);
        return found == fields.end() ? 0 : std::stoll(found->second);
    }
    const ProtobufText* message(const std::string& name) const {
        const auto found = messages.find(name);
        return found == messages.end() ? nullptr : &found->second;
    }
    std::vector<const ProtobufText*> all(const std::string& name) const {
        std::vector<const ProtobufText*> found;
        for (auto [at, end] = messages.equal_range(name); at != end; ++at) found.push_back(&at->second);
        return found;
    }
};

}  // namespace strata
