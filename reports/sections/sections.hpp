// Every section there is: each answers one question from a study, and says nothing (nullopt) where the question does
// not arise.
#pragma once

#include <optional>

#include "reports/recommendation.hpp"
#include "reports/report.hpp"

namespace strata {

// What should be built, and why?
Section verdict_section(const ReportInput& input, const Recommendation& recommendation);
// Which point is best, by how much, what binds it and how sure is that: one paragraph of numbers.
std::optional<Section> conclusion_section(const Study& study, const Recommendation& recommendation);
// The same of a study of kind serving, training or collective: by its kind's main metric.
std::optional<Section> conclusion_section(const Study& study);
// What does moving capacity between experts and tables do to the loss? `trained`: losses measured elsewhere at several
// rho, each on its own scale.
std::optional<Section> allocation_section(const Study& study, const AllocationLaw& law, const std::string& model,
                                          const Recommendation& recommendation,
                                          const std::vector<AllocationFit>& trained = {});
// What does a context kept as pictures of its pages save, and what is lost of its text? `context`: the first point's.
std::optional<Section> optical_section(const Study& study, const OpticalLaw* law, const OpticalContext* context);
// How fast is each point?
std::optional<Section> speed_section(const Study& study, const Recommendation& recommendation);
// What does each point fill, and where?
std::optional<Section> memory_section(const Study& study, const Recommendation& recommendation);
// How uneven are the ranks of an expert group, and what does that cost?
std::optional<Section> balance_section(const Study& study, const std::string& engine);
// Which part of the model takes the time, and what binds it?
std::optional<Section> components_section(const Recommendation& recommendation);
// What would have to be faster?
std::optional<Section> limits_section(const Study& study, const Recommendation& recommendation);
// How busy is each part of the machine?
std::optional<Section> resources_section(const Study& study, const Recommendation& recommendation);
// What would a better part bring? Shown in full of `chosen`, if it was asked for there; null: of the first point.
std::optional<Section> binding_section(const Study& study, const PointResult* chosen);
// What does a token cost, in money and energy?
std::optional<Section> economics_section(const Study& study);
// What do the laws of quality say of what was run, beside its speed?
std::optional<Section> quality_section(const Study& study);
// Where do the engines differ?
std::optional<Section> agreement_section(const Study& study);
// How far does the recommended point's speed swing with what went into it?
std::optional<Section> sensitivity_section(const CloserLook* closer);
// What happens when, in one layer of its step?
std::optional<Section> timeline_section(const CloserLook* closer);
// What goes over links and fabrics, and how long does that take?
std::optional<Section> fabric_section(const Recommendation& recommendation);
// What does this rest on that nobody measured or published?
std::optional<Section> assumptions_section(const ReportInput& input, const Recommendation& recommendation);
// Do the scenario's assertions hold?
std::optional<Section> assertions_section(const Study& study, const std::vector<Assertion>& assertions);
// Every result, and why there is none.
std::optional<Section> points_section(const Study& study, const AllocationLaw& law, const std::string& model);
// How do we know how long an op takes?
std::optional<Section> provenance_section(const Study& study, const CostBook& costs,
                                          const Recommendation& recommendation);
// Which hardware numbers went in, and who says so?
std::optional<Section> parts_section(const Catalog& catalog, const std::vector<std::string>& systems);
// How can this be made again?
std::optional<Section> manifest_section(const Manifest& manifest);

// Of a study of kind access: what do the parts give, and when do they keep up?
Section access_summary_section(const Study& study);
// How long does a request take, the more is asked for?
std::optional<Section> access_load_section(const Study& study);
// What do short requests cost?
std::optional<Section> access_row_section(const Study& study);
// Every result, and why there is none.
Section access_points_section(const Study& study);

// Of a study of kind training: how long does a step take, and where does its time go?
Section training_summary_section(const Study& study);
// Every result, and why there is none.
Section training_points_section(const Study& study);

// Of kind rl.
Section rl_summary_section(const Study& study);
Section rl_points_section(const Study& study);

// Of a study of kind serving: what do users see, and how many are served well?
Section serving_summary_section(const Study& study);
// Every result, and why there is none.
Section serving_points_section(const Study& study);

// Of a study of kind collective: how long does it take, and what holds it up?
Section collective_summary_section(const Study& study);
// Every result, and why there is none.
Section collective_points_section(const Study& study);

}  // namespace strata
