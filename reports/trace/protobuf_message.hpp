// The little of protobuf's wire format that trace files need (protobuf.dev/programming-guides/encoding): a message is
// a row of fields, each a key (number and type) and a value.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace strata {

class ProtobufMessage {
public:
    ProtobufMessage& integer(int field, std::uint64_t value) {
        key(field, 0);
        return varint(value);
    }
    ProtobufMessage& real(int field, double value) {
        key(field, 1);
        const auto bits = std::bit_cast<std::uint64_t>(value);
        for (int i = 0; i < 8; ++i) bytes_ += static_cast<char>(bits >> (8 * i) & 0xff);  // little endian
        return *this;
    }
    ProtobufMessage& text(int field, std::string_view value) {
        key(field, 2);
        varint(value.size());
        bytes_ += value;
        return *this;
    }
    ProtobufMessage& message(int field, const ProtobufMessage& value) { return text(field, value.bytes_); }

    const std::string& bytes() const { return bytes_; }
    // After its own length, as messages follow each other in a file.
    std::string delimited() const { return ProtobufMessage().varint(bytes_.size()).bytes_ + bytes_; }

private:
    void key(int field, unsigned type) { varint(static_cast<std::uint64_t>(field) << 3 | type); }
    ProtobufMessage& varint(std::uint64_t value) {
        for (; value > 0x7f; value >>= 7) bytes_ += static_cast<char>((value & 0x7f) | 0x80);
        bytes_ += static_cast<char>(value);
        return *this;
    }

    std::string bytes_;
};

}  // namespace strata
