// What a TLM payload carries here: how much is moved, not the data itself. The standard length field is 32 bits wide
// and one op may move more than 4 GB, so the amount travels in an extension.
#pragma once

#include <cstdint>
#include <tlm>

#include "hwmodels/units.hpp"

namespace strata {

struct Transfer : tlm::tlm_extension<Transfer> {
    Bytes bytes;             // as memories see it
    Bytes on_link;           // as links see it: packet overhead beyond that of full packets included
    double requests = 0;     // separate reads, where their number can be the limit
    double cost = 1;         // time of a byte in a memory, over that at its peak
    std::uint64_t user = 0;  // who sends it, for logs of what parts were busy with
    Bytes row;               // what stands together in memory, for who looks at banks; 0: all of it

    tlm::tlm_extension_base* clone() const override { return new Transfer(*this); }
    void copy_from(const tlm::tlm_extension_base& other) override { *this = static_cast<const Transfer&>(other); }
};

// A payload with its Transfer, made once and sent again and again.
class TransferPayload {
public:
    TransferPayload() { payload_.set_extension(transfer_); }
    TransferPayload(const TransferPayload&) = delete;
    TransferPayload& operator=(const TransferPayload&) = delete;

    Transfer& transfer() { return *transfer_; }
    // Asks `socket` to serve it from now on; returns in how much time it will be through.
    template <class Socket>
    sc_core::sc_time send(Socket& socket) {
        sc_core::sc_time delay;
        socket->b_transport(payload_, delay);
        return delay;
    }

private:
    Transfer* transfer_ = new Transfer;  // owned by the payload, which deletes its extensions
    tlm::tlm_generic_payload payload_;
};

inline const Transfer& transfer_of(const tlm::tlm_generic_payload& payload) {
    const Transfer* transfer = nullptr;
    payload.get_extension(transfer);
    sc_assert(transfer);
    return *transfer;
}

// A payload as reads of equal size: one, of its own length; or a Transfer's chunk, of as many as it counts.
struct Reads {
    std::uint64_t count = 1;
    Bytes bytes;  // of each
    std::uint64_t apart() const { return static_cast<std::uint64_t>(bytes.si()); }
};

inline Reads reads_of(const tlm::tlm_generic_payload& payload) {
    const Transfer* transfer = nullptr;
    payload.get_extension(transfer);
    if (!transfer) return {1, Bytes(double(payload.get_data_length()))};
    const auto count = static_cast<std::uint64_t>(transfer->requests > 1 ? transfer->requests : 1);
    return {count, transfer->bytes / double(count)};
}

}  // namespace strata
