// Tasks that ask for the same cost the same, and no others do.
#include "sim/workload/pricing.hpp"

#include <gtest/gtest.h>

#include "tests/source_root.hpp"

namespace strata {
namespace {

TEST(KnownPrices, are_those_of_tasks_that_ask_for_the_same_in_every_way) {
    const Catalog catalog(kRoot + "/hwmodels/catalog");
    const CostBook costs(kRoot + "/sim/cost/cost_curves.yaml");
    const Platform platform = platform_of(platform_spec(catalog, "HGX_H200"));
    KnownPrices known(platform, costs, 8);
    Task fetch{.name = "rows", .lane = Lane::host_fetch, .pricing = Pricing::fetch, .moved = 1.0_GB, .on_link = 1.0_GB};
    Task longer = fetch, drives = fetch, product{.name = "product", .pricing = Pricing::kernel, .moved = 1.0_GB};
    longer.on_link = 2.0_GB;
    drives.lane = Lane::nvme_fetch;
    Task quantise = product;
    quantise.family = Family::swiglu_quantise;
    std::set<double> different;
    for (int round = 0; round < 2; ++round)
        for (const Task& task : {fetch, longer, drives, product, quantise}) {
            const Price alone = price(task, platform, costs, 8), found = known.of(task);
            EXPECT_EQ(found.duration, alone.duration) << task.name;
            EXPECT_EQ(found.latency, alone.latency) << task.name;
            EXPECT_EQ(found.origin, alone.origin) << task.name;
            different.insert(found.duration.si());
        }
    EXPECT_EQ(different.size(), 5u);
}

}  // namespace
}  // namespace strata
