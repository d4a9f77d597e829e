#include "hwmodels/dram/dram_channel.hpp"

#include <algorithm>
#include <bit>

namespace strata {

namespace {

// First ready, first come, but nobody sees many more than so many arrive after it.
constexpr std::uint32_t kMostPassed = 16 * kMostQueued;

bool beats(bool harmless, std::uint32_t age, bool other_harmless, std::uint32_t other_age) {
    return harmless != other_harmless ? harmless : age > other_age;
}

}  // namespace

DramCounts& DramCounts::operator+=(const DramCounts& other) {
    reads += other.reads;
    writes += other.writes;
    row_hits += other.row_hits;
    activates += other.activates;
    refreshes += other.refreshes;
    last_data = std::max(last_data, other.last_data);
    return *this;
}

DramChannel::Queue::Queue(int most, bool of_writes, std::size_t banks, std::size_t bank_groups)
    : of_group(bank_groups),
      of_bank(banks),
      free(most == kMostQueued ? ~std::uint64_t{0} : (std::uint64_t{1} << most) - 1),
      depth(most),
      writes(of_writes) {}

int DramChannel::Queue::take(const Waiting& access) {
    const auto index = static_cast<std::uint8_t>(std::countr_zero(free));
    const std::uint64_t bit = std::uint64_t{1} << index;
    List& list = of_group[access.group];
    waiting[index] = access;
    waiting[index].previous = list.last;
    slots[index] = {.order = next_order++, .bank = access.bank};
    (list.last == kEnd ? list.first : slots[list.last].next) = index;
    list.last = index;
    list.slots |= bit;
    free &= ~bit;
    of_bank[access.bank] |= bit;
    groups |= std::uint64_t{1} << access.group;
    ++size;
    return index;
}

void DramChannel::Queue::release(int index) {
    const Waiting& access = waiting[index];
    const std::uint8_t next = slots[index].next;
    const std::uint64_t bit = std::uint64_t{1} << index;
    List& list = of_group[access.group];
    (access.previous == kEnd ? list.first : slots[access.previous].next) = next;
    (next == kEnd ? list.last : waiting[next].previous) = access.previous;
    list.slots &= ~bit;
    if (list.slots == 0) groups &= ~(std::uint64_t{1} << access.group);
    free |= bit;
    hits &= ~bit;
    of_bank[access.bank] &= ~bit;
    --size;
}

int DramChannel::Queue::overdue() {
    if (--until_looked > 0) return -1;
    until_looked = kMostQueued;
    for (std::uint64_t left = groups; left != 0; left &= left - 1) {
        const int first = of_group[static_cast<std::size_t>(std::countr_zero(left))].first;
        if (next_order - slots[static_cast<std::size_t>(first)].order <= kMostPassed) continue;
        until_looked = 0;  // look again at once: there may be more
        return first;
    }
    return -1;
}

DramChannel::DramChannel(const DramSpec& spec, std::uint32_t index, Listener& listener)
    : spec_(spec),
      t_(spec.timings),
      burst_(spec.burst_cycles()),
      index_(index),
      listener_(listener),
      groups_(static_cast<std::size_t>(spec.organisation.ranks * spec.organisation.bank_groups)),
      reads_(spec.controller.window, false, static_cast<std::size_t>(spec.organisation.banks_of_a_bus()),
             groups_.size()),
      writes_(spec.controller.write_depth, true, reads_.of_bank.size(), groups_.size()) {
    const DramOrganisation& of = spec.organisation;
    for (std::size_t i = 0; i < groups_.size(); ++i)
        groups_[i].rank = static_cast<unsigned>(i) / static_cast<unsigned>(of.bank_groups);
    ranks_.resize(static_cast<std::size_t>(of.ranks));
    for (Rank& rank : ranks_) rank.activates.fill(-kNever);
    for (int bank = 0; bank < of.banks_of_a_bus(); ++bank) {
        Bank& made = banks_.emplace_back();
        made.group = static_cast<std::uint16_t>(bank / of.banks);
        made.rank = static_cast<std::uint16_t>(made.group / of.bank_groups);
        made.bank_group = static_cast<std::uint16_t>(made.group % of.bank_groups);
        made.bank = static_cast<std::uint16_t>(bank % of.banks);
        ranks_[made.rank].refresh_order.push_back(static_cast<std::uint16_t>(bank));
    }
    const bool per_bank = spec.refresh.mode == RefreshMode::per_bank;
    refreshes_of_a_round_ = per_bank ? banks_.size() : ranks_.size();
    refresh_step_ = std::max<Cycle>(1, spec.refresh.REFI / static_cast<Cycle>(refreshes_of_a_round_));
    refresh_due_ = refresh_step_;
}

Cycle DramChannel::enqueue(const Access& access, Cycle arrival) {
    // What is decided before it arrives is decided without it.
    while (last_column_ + t_.CCD_S < arrival) {
        Queue* const next = next_queue();
        if (!next || !serve(*next, arrival)) break;
    }
    if (reads_.size + writes_.size == 0) skip_idle_refreshes(arrival);
    Queue& queue = access.write ? writes_ : reads_;
    Cycle visible = arrival;
    while (queue.full()) {
        serve(*next_queue(), kNever);
        visible = std::max(visible, last_column_);
    }
    const DramOrganisation& of = spec_.organisation;
    const unsigned group = access.at.rank * static_cast<unsigned>(of.bank_groups) + access.at.bank_group;
    const unsigned bank = group * static_cast<unsigned>(of.banks) + access.at.bank;
    if (spec_.controller.page_policy == PagePolicy::timeout) close_if_timed_out(bank, visible);
    const int slot = queue.take({.visible = visible,
                                 .row = access.at.row,
                                 .request = access.request,
                                 .bank = static_cast<std::uint8_t>(bank),
                                 .group = static_cast<std::uint8_t>(group)});
    update(queue, banks_[bank], slot);
    return visible;
}

bool DramChannel::serve_one() {
    Queue* const next = next_queue();
    return next && serve(*next, kNever);
}

// Reads come first until many writes wait; those then go together, because turning the bus round is dear.
DramChannel::Queue* DramChannel::next_queue() {
    if (draining_ && (writes_.size == 0 || (writes_.size <= spec_.controller.write_low && reads_.size > 0)))
        draining_ = false;
    else if (writes_.size >= spec_.controller.write_high)
        draining_ = true;
    if (draining_) return &writes_;
    if (reads_.size > 0) return &reads_;
    return writes_.size > 0 ? &writes_ : nullptr;
}

bool DramChannel::serve(Queue& queue, Cycle before) {
    while (true) {
        const int overdue = queue.overdue();
        const Choice choice = overdue < 0 ? choose(queue) : choice_of(queue, overdue);
        if (choice.column >= before) return false;
        if (choice.column < refresh_due_) {
            decide(queue, choice);
            return true;
        }
        refresh();
    }
}

// The access whose column can come first; of several the oldest, but none whose row would take the place of one that
// others still wait for. Each bank group has a bound for rows that are open and one for others: an access that meets it
// cannot be beaten by a younger one of the group.
DramChannel::Choice DramChannel::choose(const Queue& queue) const {
    const bool write = queue.writes;
    const Cycle to_column = write ? t_.RCDWR : t_.RCDRD;
    std::array<Cycle, kMostRanks> bus;
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank) bus[rank] = bus_free(write, rank);
    const bool any_hits = (reads_.hits | writes_.hits) != 0;
    Choice best;
    std::uint32_t best_age = 0;
    for (std::uint64_t left = queue.groups; left != 0; left &= left - 1) {
        const auto which = static_cast<std::size_t>(std::countr_zero(left));
        const Group& group = groups_[which];
        const Queue::List& list = queue.of_group[which];
        const Cycle hit_bound = std::max(bus[group.rank], write ? group.next_write : group.next_read);
        const Cycle activate = std::max(group.next_activate, ranks_[group.rank].next_activate);
        const Cycle miss_bound = std::max(hit_bound, activate + to_column);
        std::uint64_t hits = queue.hits & list.slots;
        for (std::uint8_t i = list.first; i != Queue::kEnd; i = queue.slots[i].next) {
            const Queue::Slot& slot = queue.slots[i];
            const std::uint32_t age = queue.next_order - slot.order;
            const Cycle bound = hits != 0 ? hit_bound : miss_bound;  // of what is left in the list
            if (bound > best.column || (bound == best.column && best.harmless && age <= best_age)) break;
            const bool hit = hits >> i & 1;
            hits &= ~(std::uint64_t{1} << i);
            const Cycle column = std::max(slot.ready, hit ? hit_bound : miss_bound);
            if (column > best.column) continue;
            const bool harmless = hit || !any_hits || !wanted(slot.bank);
            if (column == best.column && !beats(harmless, age, best.harmless, best_age)) continue;
            best = {i, column, harmless};
            best_age = age;
        }
    }
    return best;
}

// That very access, ready or not.
DramChannel::Choice DramChannel::choice_of(const Queue& queue, int index) const {
    const Queue::Slot& slot = queue.slots[static_cast<std::size_t>(index)];
    const Group& group = groups_[banks_[slot.bank].group];
    const bool hit = queue.hits >> index & 1;
    Cycle column =
        std::max({slot.ready, bus_free(queue.writes, group.rank), queue.writes ? group.next_write : group.next_read});
    if (!hit)
        column = std::max(column, std::max(group.next_activate, ranks_[group.rank].next_activate) +
                                      (queue.writes ? t_.RCDWR : t_.RCDRD));
    return {index, column, true};
}

// When the data bus lets a column to `rank` go; what its bank group adds is not in it.
Cycle DramChannel::bus_free(bool write, std::size_t rank) const {
    const Cycle gap = rank == last_rank_ ? t_.CCD_S : t_.CCD_R;
    if (write) return last_column_ + (last_was_write_ ? gap : t_.RTW);
    Cycle from = last_column_ + gap;
    if (last_was_write_) from = std::max(from, last_column_ + t_.CWL + gap - t_.CL);  // data behind data
    return std::max(from, ranks_[rank].next_read);
}

Cycle DramChannel::activate_from(const Bank& bank, Cycle visible) const {
    if (bank.open_row == kClosed) return std::max(bank.next_activate, visible);
    return std::max(bank.next_activate, std::max(bank.next_precharge, visible) + t_.RP);
}

void DramChannel::decide(Queue& queue, const Choice& choice) {
    const Queue::Waiting slot = queue.waiting[static_cast<std::size_t>(choice.slot)];
    Bank& bank = banks_[slot.bank];
    const bool hit = bank.open_row == slot.row;
    if (hit) {
        ++counts_.row_hits;
    } else {
        const Cycle at = std::max(
            {activate_from(bank, slot.visible), groups_[slot.group].next_activate, ranks_[bank.rank].next_activate});
        if (bank.open_row != kClosed) precharge(bank, std::max(bank.next_precharge, slot.visible));
        activate(bank, slot.row, at);
    }
    queue.release(choice.slot);
    read_or_write(bank, queue.writes, choice.column);
    const Cycle data = choice.column + (queue.writes ? t_.CWL : t_.CL) + burst_;
    counts_.last_data = std::max(counts_.last_data, data);
    update(reads_, slot.bank, hit);
    update(writes_, slot.bank, hit);
    if (spec_.controller.page_policy == PagePolicy::closed && !wanted(slot.bank)) {
        precharge(bank, bank.next_precharge);
        update(reads_, slot.bank);
        update(writes_, slot.bank);
    }
    listener_.decided(slot.request, data);
}

void DramChannel::precharge(Bank& bank, Cycle at) {
    emit(DramCommand::precharge, bank, at);
    bank.open_row = kClosed;
    bank.next_activate = std::max(bank.next_activate, at + t_.RP);
}

void DramChannel::activate(Bank& bank, std::uint32_t row, Cycle at) {
    emit(DramCommand::activate, bank, at, row);
    ++counts_.activates;
    bank.open_row = row;
    bank.next_activate = at + t_.RC;
    bank.next_precharge = at + t_.RAS;
    bank.next_read = at + t_.RCDRD;
    bank.next_write = at + t_.RCDWR;
    Group& group = groups_[bank.group];
    group.next_activate = at + t_.RRD_L;
    Rank& rank = ranks_[bank.rank];
    rank.activates[rank.oldest_activate] = at;
    rank.oldest_activate = (rank.oldest_activate + 1) % rank.activates.size();
    rank.last_activate = at;
    rank.next_activate = std::max({rank.next_activate, at + t_.RRD_S, rank.activates[rank.oldest_activate] + t_.FAW});
}

void DramChannel::read_or_write(Bank& bank, bool write, Cycle at) {
    emit(write ? DramCommand::write : DramCommand::read, bank, at, bank.open_row);
    Group& group = groups_[bank.group];
    if (write) {
        ++counts_.writes;
        const Cycle data_end = at + t_.CWL + burst_;
        bank.next_precharge = std::max(bank.next_precharge, data_end + t_.WR);
        group.next_write = at + t_.CCD_L;
        group.next_read = std::max(group.next_read, data_end + t_.WTR_L);
        ranks_[bank.rank].next_read = data_end + t_.WTR_S;
    } else {
        ++counts_.reads;
        bank.next_precharge = std::max(bank.next_precharge, at + t_.RTP);
        group.next_read = at + t_.CCD_L;
    }
    bank.last_use = last_column_ = at;
    last_rank_ = bank.rank;
    last_was_write_ = write;
}

// What the bank's new state means for those who wait for it. Another column in the row that is open means nothing for
// others in it.
void DramChannel::update(Queue& queue, unsigned index, bool same_row) const {
    const Bank& bank = banks_[index];
    for (std::uint64_t left = queue.of_bank[index] & ~(same_row ? queue.hits : 0); left != 0; left &= left - 1)
        update(queue, bank, std::countr_zero(left));
}

void DramChannel::update(Queue& queue, const Bank& bank, int index) const {
    const Queue::Waiting& access = queue.waiting[static_cast<std::size_t>(index)];
    Queue::Slot& slot = queue.slots[static_cast<std::size_t>(index)];
    const std::uint64_t bit = std::uint64_t{1} << index;
    if (bank.open_row == access.row) {
        slot.ready = std::max(access.visible, queue.writes ? bank.next_write : bank.next_read);
        queue.hits |= bit;
    } else {
        slot.ready = activate_from(bank, access.visible) + (queue.writes ? t_.RCDWR : t_.RCDRD);
        queue.hits &= ~bit;
    }
}

bool DramChannel::wanted(unsigned bank) const {
    return ((reads_.of_bank[bank] & reads_.hits) | (writes_.of_bank[bank] & writes_.hits)) != 0;
}

void DramChannel::close_if_timed_out(unsigned index, Cycle now) {
    Bank& bank = banks_[index];
    if (bank.open_row == kClosed || wanted(index)) return;
    const Cycle at = std::max(bank.next_precharge, bank.last_use + spec_.controller.timeout);
    if (at >= now) return;
    precharge(bank, at);
    update(reads_, index);
    update(writes_, index);
}

void DramChannel::refresh() {
    if (spec_.refresh.mode == RefreshMode::per_bank)
        refresh_one_bank(ranks_[refresh_rank_]);
    else
        refresh_rank(refresh_rank_);
    refresh_rank_ = (refresh_rank_ + 1) % static_cast<unsigned>(ranks_.size());
    refresh_due_ += refresh_step_;
    ++counts_.refreshes;
}

// When the bank, closed now if it is open, can be refreshed.
Cycle DramChannel::refreshable_from(const Bank& bank) const { return activate_from(bank, refresh_due_); }

void DramChannel::close_for_refresh(unsigned index) {
    Bank& bank = banks_[index];
    if (spec_.controller.page_policy == PagePolicy::timeout) close_if_timed_out(index, refresh_due_);
    if (bank.open_row != kClosed) precharge(bank, std::max(bank.next_precharge, refresh_due_));
}

// In turn, but a busy bank lets some of those behind it go first: so many since its own last refresh, that is, half of
// what may be late. Those before it go once in a round, so no bank waits longer than a round and that. Counting only
// how often the first of the order was passed would not do: a bank can be passed in each of the places before.
void DramChannel::refresh_one_bank(Rank& rank) {
    const auto leeway = static_cast<std::size_t>(spec_.refresh.postponed / 2);
    std::size_t chosen = 0;
    Cycle best = kNever;
    for (std::size_t i = 0; i < rank.refresh_order.size() && i <= leeway; ++i) {
        const unsigned index = rank.refresh_order[i];
        const Cycle dearer = wanted(index) ? t_.RC : 0;
        const Cycle from = std::max(refreshable_from(banks_[index]), rank.next_refresh) + dearer;
        if (from < best) {
            best = from;
            chosen = i;
        }
        if (banks_[index].refreshes_passed_by >= leeway) break;  // none behind it
    }
    for (std::size_t i = 0; i < chosen; ++i) ++banks_[rank.refresh_order[i]].refreshes_passed_by;
    banks_[rank.refresh_order[chosen]].refreshes_passed_by = 0;
    const std::uint16_t index = rank.refresh_order[chosen];
    rank.refresh_order.erase(rank.refresh_order.begin() + static_cast<std::ptrdiff_t>(chosen));
    rank.refresh_order.push_back(index);
    Bank& bank = banks_[index];
    close_for_refresh(index);
    const Cycle at = std::max({bank.next_activate, refresh_due_, rank.next_refresh, rank.last_activate + t_.RRD_S});
    emit(DramCommand::refresh_bank, bank, at);
    bank.next_activate = at + spec_.refresh.RFC;
    rank.next_refresh = at + spec_.refresh.RREFD;
    rank.next_activate = std::max(rank.next_activate, at + spec_.refresh.RREFD);
    update(reads_, index);
    update(writes_, index);
}

void DramChannel::refresh_rank(unsigned which) {
    Cycle at = refresh_due_;
    const auto banks = static_cast<unsigned>(spec_.organisation.banks_of_a_rank());
    for (unsigned index = which * banks; index < (which + 1) * banks; ++index) {
        close_for_refresh(index);
        at = std::max(at, banks_[index].next_activate);
    }
    emit(DramCommand::refresh_all, banks_[which * banks], at);
    Rank& rank = ranks_[which];
    rank.next_activate = std::max(rank.next_activate, at + spec_.refresh.RFC);
    for (unsigned index = which * banks; index < (which + 1) * banks; ++index) {
        banks_[index].next_activate = at + spec_.refresh.RFC;
        update(reads_, index);
        update(writes_, index);
    }
}

// Whole rounds in which nobody asks for anything cost nothing, unless every command is wanted.
void DramChannel::skip_idle_refreshes(Cycle now) {
    const Cycle round = refresh_step_ * static_cast<Cycle>(refreshes_of_a_round_);
    if (sink_ || now - refresh_due_ < 2 * round) return;
    const Cycle rounds = (now - refresh_due_) / round - 1;
    for (Bank& bank : banks_) {
        if (bank.open_row == kClosed) continue;
        bank.open_row = kClosed;
        bank.next_activate = std::max(bank.next_activate, bank.next_precharge + t_.RP);
    }
    refresh_due_ += rounds * round;
    counts_.refreshes += static_cast<std::uint64_t>(rounds) * refreshes_of_a_round_;
}

void DramChannel::emit(DramCommand command, const Bank& bank, Cycle at, std::uint32_t row) const {
    if (!sink_) return;
    const bool whole_rank = command == DramCommand::refresh_all;
    (*sink_)({.cycle = at,
              .channel = index_,
              .row = row,
              .rank = bank.rank,
              .bank_group = whole_rank ? std::uint16_t{0} : bank.bank_group,
              .bank = whole_rank ? std::uint16_t{0} : bank.bank,
              .command = command});
}

}  // namespace strata
