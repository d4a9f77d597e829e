#include "hwmodels/fabric/flow_folding.hpp"

#include <bit>
#include <cmath>
#include <map>
#include <unordered_map>

#include "kernels/mixed_bits.hpp"

namespace strata {

namespace {

using Colour = std::uint64_t;

// Shares are sums of products: the same share may differ in its last bits from flow to flow.
Colour colour_of(double share) { return static_cast<Colour>(std::llround(share * 0x1p40)); }

std::size_t distinct(const std::vector<Colour>& colours) {
    std::unordered_map<Colour, int> seen;
    for (const Colour c : colours) seen[c] = 1;
    return seen.size();
}

// Numbers the colours in order of first appearance.
int numbered(const std::vector<Colour>& colours, std::vector<int>& numbers) {
    std::unordered_map<Colour, int> number;
    for (const Colour c : colours) numbers.push_back(number.emplace(c, static_cast<int>(number.size())).first->second);
    return static_cast<int>(number.size());
}

}  // namespace

FlowClasses flow_classes(const std::vector<Bandwidth>& capacity, const std::vector<Flow>& flows) {
    std::vector<Colour> of_flow, of_link;
    for (const Flow& flow : flows)
        of_flow.push_back(
            mixed_bits(mixed_bits(std::bit_cast<Colour>(flow.bytes.si())) + std::bit_cast<Colour>(flow.latency.si())));
    for (const Bandwidth c : capacity) of_link.push_back(mixed_bits(std::bit_cast<Colour>(c.si())));
    // Neighbours are a multiset: their mixed colours are added up, in whatever order they come. 64 bits are taken for
    // enough that different ones do not meet.
    for (std::size_t before = 0, now = distinct(of_flow) + distinct(of_link); now > before;) {
        std::vector<Colour> flow_sum(flows.size()), link_sum(capacity.size());
        for (std::size_t f = 0; f < flows.size(); ++f)
            for (const LinkShare& s : flows[f].shares) {
                const auto link = static_cast<std::size_t>(s.link);
                flow_sum[f] += mixed_bits(of_link[link] ^ mixed_bits(colour_of(s.share)));
                link_sum[link] += mixed_bits(of_flow[f] ^ mixed_bits(colour_of(s.share)));
            }
        for (std::size_t f = 0; f < flows.size(); ++f) of_flow[f] = mixed_bits(mixed_bits(of_flow[f]) + flow_sum[f]);
        for (std::size_t l = 0; l < capacity.size(); ++l) of_link[l] = mixed_bits(mixed_bits(of_link[l]) + link_sum[l]);
        before = now;
        now = distinct(of_flow) + distinct(of_link);
    }
    FlowClasses classes;
    classes.flows = numbered(of_flow, classes.of_flow);
    classes.links = numbered(of_link, classes.of_link);
    return classes;
}

FoldedFlows fold(const std::vector<Bandwidth>& capacity, const std::vector<Flow>& flows, const FlowClasses& classes) {
    FoldedFlows folded{std::vector<Bandwidth>(static_cast<std::size_t>(classes.links)),
                       std::vector<Flow>(static_cast<std::size_t>(classes.flows))};
    std::vector<double> members(folded.capacity.size());
    for (std::size_t l = 0; l < capacity.size(); ++l) {
        folded.capacity[static_cast<std::size_t>(classes.of_link[l])] = capacity[l];
        ++members[static_cast<std::size_t>(classes.of_link[l])];
    }
    std::vector<std::map<int, double>> shares(folded.flows.size());
    for (std::size_t f = 0; f < flows.size(); ++f) {
        const auto of_class = static_cast<std::size_t>(classes.of_flow[f]);
        folded.flows[of_class].bytes = flows[f].bytes;
        folded.flows[of_class].latency = flows[f].latency;
        for (const LinkShare& s : flows[f].shares) {
            const int link = classes.of_link[static_cast<std::size_t>(s.link)];
            shares[of_class][link] += s.share / members[static_cast<std::size_t>(link)];
        }
    }
    for (std::size_t f = 0; f < shares.size(); ++f)
        for (const auto& [link, share] : shares[f]) folded.flows[f].shares.push_back({link, share});
    return folded;
}

}  // namespace strata
