// One pseudo-channel: its banks, its buses, and the controller that chooses what they do next. It has no clock and no
// events: an access waits in a bounded window, and each time one leaves it (first ready, first come) the state of its
// bank and of the buses is moved on to the cycles of its commands. Columns are decided in order of time; a precharge
// or an activate may lie before the last column decided, never before one of its own kind that it must follow.
//
// Not modelled: the command bus (with its own wires for rows and columns in HBM, and never full elsewhere at these
// bursts), reads answered from the write queue, and temperature.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "hwmodels/dram/address_mapping.hpp"
#include "hwmodels/dram/command.hpp"
#include "hwmodels/dram/dram_spec.hpp"

namespace strata {

using Cycle = std::int64_t;
using CommandSink = std::function<void(const IssuedCommand&)>;

// What a pseudo-channel has done.
struct DramCounts {
    std::uint64_t reads = 0, writes = 0;  // accesses
    std::uint64_t row_hits = 0;           // accesses that found their row open
    std::uint64_t activates = 0;
    std::uint64_t refreshes = 0;  // commands
    Cycle last_data = 0;          // when the last burst was over

    DramCounts& operator+=(const DramCounts& other);
};

class DramChannel {
public:
    // Called when the time at which an access's data is through (read) or taken (write) is decided.
    struct Listener {
        virtual void decided(std::uint32_t request, Cycle data_end) = 0;

    protected:
        ~Listener() = default;
    };

    // `spec` and `listener` must outlive it.
    DramChannel(const DramSpec& spec, std::uint32_t index, Listener& listener);

    struct Access {
        DramCoordinates at;
        bool write = false;
        std::uint32_t request = 0;  // what the listener is told
    };
    // Arrivals come in order. Returns when the window has room for it: `arrival`, or later.
    Cycle enqueue(const Access& access, Cycle arrival);
    // Decides one more access; false if none is waiting. Writes go even if they are few.
    bool serve_one();

    // How far it has come, if something waits.
    Cycle next_turn() const { return reads_.size + writes_.size > 0 ? last_column_ : kNever; }

    const DramCounts& counts() const { return counts_; }
    void emit_to(const CommandSink* sink) { sink_ = sink; }

private:
    static constexpr Cycle kNever = std::numeric_limits<Cycle>::max() / 4;
    static constexpr std::uint32_t kClosed = std::numeric_limits<std::uint32_t>::max();

    struct Bank {
        std::uint32_t open_row = kClosed;
        std::uint16_t rank = 0, bank_group = 0, bank = 0;  // for the command stream
        std::uint16_t group = 0;                           // counted over ranks
        Cycle next_activate = 0;                           // by RC and, if closed, RP and refresh
        Cycle next_precharge = 0;                          // by RAS, RTP and WR
        Cycle next_read = 0, next_write = 0;               // by RCD
        Cycle last_use = 0;                                // column, for the timeout
        std::size_t refreshes_passed_by = 0;               // of banks behind it in the order, since its own
    };
    struct Group {
        Cycle next_activate = 0, next_read = 0, next_write = 0;  // by RRD_L, CCD_L and WTR_L
        unsigned rank = 0;
    };
    struct Rank {
        Cycle next_activate = 0;  // by RRD_S and FAW, and after a refresh
        Cycle next_read = 0;      // by WTR_S
        std::array<Cycle, 4> activates{};
        unsigned oldest_activate = 0;
        Cycle last_activate = -kNever;
        Cycle next_refresh = 0;                      // by RREFD
        std::vector<std::uint16_t> refresh_order{};  // per_bank: banks_, the longest unrefreshed first
    };
    // Accesses waiting: for each bank group a list in order of arrival, and words of bits by which to find slots.
    struct Queue {
        static constexpr std::uint8_t kEnd = kMostQueued;
        struct Slot {         // what choosing looks at, apart from all else so that more of it is in a cache line
            Cycle ready = 0;  // first column that the bank allows
            std::uint32_t order = 0;  // of arrival; wraps
            std::uint8_t bank = 0, next = kEnd;
        };
        struct Waiting {
            Cycle visible = 0;  // when the controller sees it
            std::uint32_t row = 0, request = 0;
            std::uint8_t bank = 0, group = 0, previous = kEnd;
        };
        Queue(int depth, bool writes, std::size_t banks, std::size_t groups);
        bool full() const { return size == depth; }
        int take(const Waiting& access);  // the index of its slot
        void release(int index);
        int overdue();  // the slot of one that has waited too long, or -1; looked for now and then

        struct List {
            std::uint8_t first = kEnd, last = kEnd;
            std::uint64_t slots = 0;
        };
        std::array<Slot, kMostQueued> slots;
        std::array<Waiting, kMostQueued> waiting;
        std::vector<List> of_group;
        std::vector<std::uint64_t> of_bank;
        std::uint64_t free = 0, hits = 0;  // slots
        std::uint64_t groups = 0;          // that somebody waits for
        int depth, size = 0;
        int until_looked = 0;
        std::uint32_t next_order = 0;
        bool writes;
    };
    struct Choice {
        int slot = -1;
        Cycle column = kNever;
        bool harmless = false;  // closes no row that somebody waits for
    };

    Queue* next_queue();
    bool serve(Queue& queue, Cycle before);
    Choice choose(const Queue& queue) const;
    Choice choice_of(const Queue& queue, int slot) const;
    Cycle bus_free(bool write, std::size_t rank) const;
    void decide(Queue& queue, const Choice& choice);
    Cycle activate_from(const Bank& bank, Cycle visible) const;
    void precharge(Bank& bank, Cycle at);
    void activate(Bank& bank, std::uint32_t row, Cycle at);
    void read_or_write(Bank& bank, bool write, Cycle at);
    void update(Queue& queue, unsigned bank, bool same_row = false) const;
    void update(Queue& queue, const Bank& bank, int slot) const;
    void close_if_timed_out(unsigned bank, Cycle now);
    bool wanted(unsigned bank) const;

    void refresh();
    void refresh_one_bank(Rank& rank);
    void refresh_rank(unsigned rank);
    void skip_idle_refreshes(Cycle now);
    Cycle refreshable_from(const Bank& bank) const;
    void close_for_refresh(unsigned bank);
    void emit(DramCommand command, const Bank& bank, Cycle at, std::uint32_t row = 0) const;

    const DramSpec& spec_;
    const DramTimings& t_;
    const Cycle burst_;
    const std::uint32_t index_;
    Listener& listener_;
    const CommandSink* sink_ = nullptr;

    std::vector<Bank> banks_;
    std::vector<Group> groups_;
    std::vector<Rank> ranks_;
    Cycle last_column_ = -kNever;
    unsigned last_rank_ = 0;
    bool last_was_write_ = false;
    Queue reads_, writes_;
    bool draining_ = false;

    Cycle refresh_due_ = 0, refresh_step_ = 0;  // of the next command, and from one to the next
    unsigned refresh_rank_ = 0;                 // whose turn it is
    std::uint64_t refreshes_of_a_round_ = 0;    // commands in REFI
    DramCounts counts_;
};

}  // namespace strata
