//! The argument of [`MatchBuilder::replicate`](super::MatchBuilder::replicate): one component or several.

use bevy_ecs::prelude::*;

use super::parts::Parts;
use crate::protocol::Replicate;

/// A replicated component, or a tuple of up to twelve. The argument of
/// [`MatchBuilder::replicate`](super::MatchBuilder::replicate).
pub trait ReplicatedSet {
    #[doc(hidden)]
    fn register(parts: &mut Parts);
}

impl<C: Component + Replicate> ReplicatedSet for C {
    fn register(parts: &mut Parts) {
        parts.replicate::<C>();
    }
}

macro_rules! sets {
    ($($name:ident)+) => {
        impl<$($name: ReplicatedSet),+> ReplicatedSet for ($($name,)+) {
            fn register(parts: &mut Parts) {
                $($name::register(parts);)+
            }
        }
    };
}
sets!(A);
sets!(A B);
sets!(A B C);
sets!(A B C D);
sets!(A B C D E);
sets!(A B C D E F);
sets!(A B C D E F H);
sets!(A B C D E F H I);
sets!(A B C D E F H I J);
sets!(A B C D E F H I J K);
sets!(A B C D E F H I J K L);
sets!(A B C D E F H I J K L M);
